# frozen_string_literal: true

# Sends each text as a message, and prints what became of it.
#
#   ruby send.rb 127.0.0.1:5680/greetings hello world

require "ferrion"

address, *texts = ARGV
Ferrion::Messenger.open do |messenger|
  messenger.timeout = 10
  messenger.outgoing_window = texts.size
  trackers = texts.map { |text| messenger.put(Ferrion::Message.new(text, address: address)) }
  messenger.send
  texts.zip(trackers) { |text, tracker| puts "#{text}: #{messenger.status(tracker)}" }
end
