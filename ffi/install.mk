# `make install [PREFIX=/usr/local] [DESTDIR=]`: the shared and the static library, the headers and their reference, what
# pkg-config and CMake find them by, the command and its manual pages.
# Included by the Makefile; works alone too, from the root of the tree: `make -f ffi/install.mk install-library`.

PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
BINDIR ?= $(PREFIX)/bin
DOCDIR ?= $(PREFIX)/share/doc/ferrion
MANDIR ?= $(PREFIX)/share/man
DESTDIR ?=
CARGO ?= cargo
CC ?= cc
INSTALL ?= install
# dev or release, and where cargo builds.
FERRION_PROFILE ?= release
FERRION_TARGET ?= target

FERRION_VERSION := $(shell sed -n 's/^version = "\(.*\)"$$/\1/p' Cargo.toml | head -n 1)
FERRION_ABI := $(firstword $(subst ., ,$(FERRION_VERSION)))
FERRION_SONAME := libferrion.so.$(FERRION_ABI)
FERRION_OUT = $(FERRION_TARGET)/$(if $(filter dev,$(FERRION_PROFILE)),debug,$(FERRION_PROFILE))
# What Rust's standard library needs, as `rustc --print native-static-libs` lists it.
FERRION_SYSTEM_LIBS := -lgcc_s -lutil -lrt -lpthread -lm -ldl -lc

FERRION_EMPTY :=
FERRION_SPACE := $(FERRION_EMPTY) $(FERRION_EMPTY)
# What the templates in ffi/ say between two @.
FERRION_FILL = sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' \
  -e 's|@VERSION@|$(FERRION_VERSION)|' -e 's|@ABI@|$(FERRION_ABI)|' -e 's|@SONAME@|$(FERRION_SONAME)|' \
  -e "s|@HEADERS@|$$(realpath -m --relative-to="$(LIBDIR)/cmake/ferrion" "$(INCLUDEDIR)")|"

.PHONY: library install install-library install-command

# rustc cannot give a shared library symbol versions (LLD ignores a version script for a cdylib, GNU ld refuses it), so
# the shared library is linked here from the static one. nodelete: threads may still hold what the library put into
# thread-local storage when a plugin host unloads it.
# Only a library that is static and nothing else is optimised as a whole, across crates.
library: ## build libferrion.a and libferrion.so under target/
	$(CARGO) rustc --locked --profile $(FERRION_PROFILE) -p ferrion-ffi --lib --crate-type staticlib --target-dir "$(FERRION_TARGET)"
	cp "$(FERRION_OUT)/libferrion_ffi.a" "$(FERRION_OUT)/libferrion.a"
	$(CC) -shared -o "$(FERRION_OUT)/libferrion.so.$(FERRION_VERSION)" \
	  -Wl,-soname,$(FERRION_SONAME) -Wl,--version-script=ffi/ferrion.map -Wl,-z,nodelete -Wl,--gc-sections \
	  -Wl,--whole-archive "$(FERRION_OUT)/libferrion.a" -Wl,--no-whole-archive \
	  -Wl,--no-undefined -Wl,--as-needed $(FERRION_SYSTEM_LIBS)

install-library: library
	$(INSTALL) -d "$(DESTDIR)$(LIBDIR)/pkgconfig" "$(DESTDIR)$(LIBDIR)/cmake/ferrion" "$(DESTDIR)$(INCLUDEDIR)"
	$(INSTALL) -m 644 include/ferrion.h include/ferrion.hpp "$(DESTDIR)$(INCLUDEDIR)/"
	$(INSTALL) -d "$(DESTDIR)$(DOCDIR)"
	$(INSTALL) -m 644 docs/reference.md "$(DESTDIR)$(DOCDIR)/"
	$(INSTALL) -m 644 "$(FERRION_OUT)/libferrion.a" "$(DESTDIR)$(LIBDIR)/libferrion.a"
	$(INSTALL) -m 755 "$(FERRION_OUT)/libferrion.so.$(FERRION_VERSION)" "$(DESTDIR)$(LIBDIR)/"
	ln -sf "libferrion.so.$(FERRION_VERSION)" "$(DESTDIR)$(LIBDIR)/$(FERRION_SONAME)"
	ln -sf "$(FERRION_SONAME)" "$(DESTDIR)$(LIBDIR)/libferrion.so"
	$(FERRION_FILL) -e 's|@SYSTEM_LIBS@|$(FERRION_SYSTEM_LIBS)|' \
	  ffi/ferrion.pc.in > "$(DESTDIR)$(LIBDIR)/pkgconfig/ferrion.pc"
	$(FERRION_FILL) -e 's|@SYSTEM_LIBS@|$(subst $(FERRION_SPACE),;,$(FERRION_SYSTEM_LIBS))|' \
	  ffi/ferrion-config.cmake.in > "$(DESTDIR)$(LIBDIR)/cmake/ferrion/ferrion-config.cmake"
	$(FERRION_FILL) \
	  ffi/ferrion-config-version.cmake.in > "$(DESTDIR)$(LIBDIR)/cmake/ferrion/ferrion-config-version.cmake"
	chmod 644 "$(DESTDIR)$(LIBDIR)/pkgconfig/ferrion.pc" "$(DESTDIR)$(LIBDIR)"/cmake/ferrion/*.cmake

install-command:
	$(CARGO) build --locked --profile $(FERRION_PROFILE) -p ferrion --target-dir "$(FERRION_TARGET)"
	$(INSTALL) -d "$(DESTDIR)$(BINDIR)" "$(DESTDIR)$(MANDIR)/man1"
	$(INSTALL) -m 755 "$(FERRION_OUT)/ferrion" "$(DESTDIR)$(BINDIR)/ferrion"
	$(INSTALL) -m 644 cli/man/*.1 "$(DESTDIR)$(MANDIR)/man1/"

install: install-library install-command ## install libraries, headers, command and manual under PREFIX, for pkg-config and CMake
