from ozzy import hookimpl


@hookimpl
def ozzy_read():
    return {"orchard": "exporters_orchard.reader:OrchardReader", "orchard_list": "exporters_orchard.reader:ListReader"}


@hookimpl
def ozzy_filter():
    return {"ripe": "exporters_orchard.filter:RipeFilter"}


@hookimpl
def ozzy_transform():
    return {"weigh": "exporters_orchard.transform:WeighTransform", "slice": "exporters_orchard.transform:SliceTransform"}


@hookimpl
def ozzy_group():
    return {"by_colour": "exporters_orchard.grouper:ColourGrouper"}


@hookimpl
def ozzy_format():
    return {"label": "exporters_orchard.formatter:LabelFormatter", "label_batch": "exporters_orchard.formatter:BatchLabelFormatter"}


@hookimpl
def ozzy_write():
    return {"crate": "exporters_orchard.writer:CrateWriter"}


@hookimpl
def ozzy_stats():
    return {"tally": "exporters_orchard.stats:TallyStatsManager"}
