"""The part of the build that pyproject.toml can't say: an extension, without which everything works too, only slower."""

import sys

from setuptools import Extension, setup

LIMITED = "0x030B0000"
"""The stable interface of Python 3.11, so that one wheel serves all later versions."""

setup(
    ext_modules=[
        Extension(
            "ozzy.data._native",
            [f"native/{name}.c" for name in ("module", "spans", "text", "json", "number", "values", "conditions", "rows", "csv", "cells")],
            depends=["native/native.h", "native/number.h", "native/text.h", "native/values.h"],
            define_macros=[("Py_LIMITED_API", LIMITED)],
            extra_compile_args=[] if sys.platform == "win32" else ["-O3", "-fvisibility=hidden"],
            py_limited_api=True,
            optional=True,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
