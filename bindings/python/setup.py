"""Builds the extension: the Rust library by cargo, the glue by SWIG, both linked into one file.

The module needs nothing installed beside itself. Settings, by environment variable:

  FERRION_PROFILE   the cargo profile, dev or release (the default)
  FERRION_TARGET    the folder that cargo builds in (the default: target/ of the source tree)
  CARGO, SWIG       the programs to use
"""

import os
import shutil
import subprocess
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent
TREE = HERE.parent.parent

# Everything that is built goes here, nothing into the source tree.
TARGET = Path(os.environ.get("FERRION_TARGET", TREE / "target"))
EGG_BASE = TARGET / "python"
EGG_BASE.mkdir(parents=True, exist_ok=True)

# What Rust's standard library needs, as in ffi/install.mk.
SYSTEM_LIBRARIES = ["gcc_s", "util", "rt", "pthread", "m", "dl", "c"]


def rust_library():
    """Builds libferrion and tells where it is."""
    profile = os.environ.get("FERRION_PROFILE", "release")
    cargo = os.environ.get("CARGO", "cargo")
    if not shutil.which(cargo):
        raise SystemExit("ferrion is built from Rust: install the Rust toolchain (rustc and cargo 1.88 or newer) first")
    # As ffi/install.mk builds it.
    command = [cargo, "rustc", "--locked", "--profile", profile, "-p", "ferrion-ffi", "--lib", "--crate-type", "staticlib"]
    subprocess.run([*command, "--target-dir", str(TARGET)], cwd=TREE, check=True)
    return TARGET / ("debug" if profile == "dev" else profile) / "libferrion_ffi.a"


class Build(build_ext):
    """Runs cargo and SWIG before the compiler."""

    def build_extension(self, extension):
        work = Path(self.build_temp)
        work.mkdir(parents=True, exist_ok=True)
        glue = work / "abi_wrap.c"
        include = TREE / "include"
        swig = os.environ.get("SWIG", "swig")
        # -builtin makes the objects of the header Python types of their own: calls find the pointer at once.
        options = ["-python", "-builtin", f"-I{include}", f"-I{HERE}", f"-I{HERE.parent}"]
        outdir = Path(self.build_lib) / "ferrion"
        if self.inplace:
            outdir = HERE / "src" / "ferrion"
        outdir.mkdir(parents=True, exist_ok=True)
        subprocess.run([swig, *options, "-outdir", str(outdir), "-o", str(glue), str(HERE / "abi.i")], check=True)

        library = rust_library()
        extension.sources = [str(glue)]
        extension.include_dirs = [str(include), str(HERE)]
        extension.extra_objects = [str(library)]
        extension.depends = [str(library)]
        super().build_extension(extension)


class PurePart(build_py):
    """Leaves out abi.py as SWIG wrote it into the source tree for an editable install: the build makes its own."""

    def find_package_modules(self, package, package_dir):
        modules = super().find_package_modules(package, package_dir)
        return [module for module in modules if module[1] != "abi"]


setup(
    ext_modules=[
        Extension(
            "ferrion._abi",
            sources=[],
            libraries=SYSTEM_LIBRARIES,
            # The symbols of the Rust library stay inside; another copy in the same process cannot get mixed up with it.
            extra_link_args=["-Wl,--exclude-libs,ALL", "-Wl,--gc-sections", "-Wl,--as-needed", "-Wl,--strip-debug"],
            extra_compile_args=["-std=c11", "-Wno-unused-function"],
        )
    ],
    options={"build": {"build_base": str(TARGET / "python")}, "egg_info": {"egg_base": str(EGG_BASE)}},
    cmdclass={"build_ext": Build, "build_py": PurePart},
)
