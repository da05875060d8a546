"""YAML for configs: safe, without double keys, and with dates as the texts they are written as."""

from typing import Any

import yaml


class ConfigLoader(yaml.SafeLoader):
    """A safe loader that refuses a key that stands twice in one mapping, and leaves dates alone."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - as the base class has it
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            name = (key.tag, key.value) if isinstance(key, yaml.ScalarNode) else None
            if name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key.value!r} stands twice in one mapping", key.start_mark)
            if name is not None:
                seen.add(name)
        return node
