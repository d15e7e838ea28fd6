# frozen_string_literal: true

# Answers requests, until Ctrl-C: sends back each text in capitals.
#
#   ruby serve.rb '~127.0.0.1:5680'

require "ferrion"

$stdout.sync = true
Ferrion::Messenger.open do |messenger|
  messenger.incoming_window = 100
  subscription = messenger.subscribe(ARGV.fetch(0))
  puts "listening on port #{subscription.port}" if subscription.port
  messenger.each do |request|
    if request.reply_to && request.body.is_a?(String)
      messenger.put(messenger.reply_to(request, request.body.upcase))
    else
      messenger.reject(messenger.incoming_tracker, condition: "amqp:not-implemented", description: "ask with a text, and a reply-to")
    end
  end
rescue Interrupt
  puts "enough"
end
