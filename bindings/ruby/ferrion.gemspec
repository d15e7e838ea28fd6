# frozen_string_literal: true

require_relative "lib/ferrion/version"

Gem::Specification.new do |gem|
  gem.name = "ferrion"
  gem.version = Ferrion::VERSION
  gem.summary = "AMQP 1.0 messaging: Messenger and Message"
  gem.description = "Sends and receives AMQP 1.0 messages: a Messenger that looks after the connections, over the library ferrion."
  gem.authors = ["The ferrion authors"]
  gem.licenses = ["Apache-2.0", "MIT"]
  gem.required_ruby_version = ">= 3.0"
  gem.files = Dir["lib/**/*.rb", "ext/ferrion/*.{c,h,i,rb}", "examples/*.rb", "README.md"].sort
  gem.extensions = ["ext/ferrion/extconf.rb"]
end
