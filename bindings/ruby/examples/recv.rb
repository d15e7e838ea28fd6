# frozen_string_literal: true

# Prints the messages that come, until Ctrl-C.
#
#   ruby recv.rb '~127.0.0.1:5680'

require "ferrion"

$stdout.sync = true
Ferrion::Messenger.open do |messenger|
  messenger.incoming_window = 100
  subscription = messenger.subscribe(ARGV.fetch(0))
  puts "listening on port #{subscription.port}" if subscription.port
  # Each message is accepted when the next one is asked for.
  messenger.each { |message| puts message.body.inspect }
rescue Interrupt
  puts "enough"
end
