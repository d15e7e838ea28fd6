# frozen_string_literal: true

# Asks a question with each text, and prints the replies.
#
#   ruby request.rb 127.0.0.1:5680/capitals hello world

require "ferrion"

address, *texts = ARGV
Ferrion::Messenger.open do |messenger|
  messenger.timeout = 10
  texts.each do |text|
    reply = messenger.request(Ferrion::Message.new(text, address: address))
    puts "#{text}: #{reply.body}"
  end
end
