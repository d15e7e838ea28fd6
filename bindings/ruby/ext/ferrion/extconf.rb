# frozen_string_literal: true

# Builds the extension over a ferrion that `make install` put where pkg-config finds it. The static library goes into the
# extension, which then needs nothing else at run time; without one it is linked to the shared library.

require "mkmf"
require "shellwords"
require_relative "../../lib/ferrion/version"

def pkg_config_of(*arguments)
  output = IO.popen([ENV["PKG_CONFIG"] || "pkg-config", *arguments, "ferrion"], &:read)
  $?.success? ? output.strip : nil
rescue Errno::ENOENT
  nil
end

version = pkg_config_of("--modversion")
abort <<~TEXT unless version
  pkg-config knows no ferrion: run `make install` in its source tree first, and, if that was with a PREFIX of your own, set
  PKG_CONFIG_PATH=PREFIX/lib/pkgconfig
TEXT
unless version == Ferrion::VERSION
  abort "this gem is for ferrion #{Ferrion::VERSION}, and pkg-config knows #{version}: install both in the same version"
end

$INCFLAGS << " -I#{__dir__.shellescape} " << pkg_config_of("--cflags")
# SWIG's own, which not every wrapper needs.
$CFLAGS << " -Wno-unused-function"
$objs = ["abi_wrap.o"]
static = File.join(pkg_config_of("--variable=libdir"), "libferrion.a")
if File.exist?(static)
  # The symbols of the library stay inside; another copy in the same process cannot get mixed up with it.
  $LDFLAGS << " -Wl,--exclude-libs,ALL -Wl,--gc-sections -Wl,--as-needed -Wl,--strip-debug"
  $LOCAL_LIBS << " #{static.shellescape} " << pkg_config_of("--libs-only-l", "--static").sub("-lferrion", "")
else
  $LOCAL_LIBS << " " << pkg_config_of("--libs")
end

create_makefile("ferrion/abi")
