# frozen_string_literal: true

module Ferrion
  # The version of the package, which is that of the library in it.
  VERSION = "0.1.0"
end
