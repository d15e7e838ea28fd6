# frozen_string_literal: true

require_relative "helper"
require "open3"
require "rbconfig"

# The scripts of examples/, as a user starts them.
class ExamplesTest < Minitest::Test
  EXAMPLES = File.expand_path("../examples", __dir__)

  def command(script, *arguments)
    [RbConfig.ruby, "-w", File.join(EXAMPLES, script), *arguments]
  end

  # Starts what listens, gives its port, and answers what it printed until Ctrl-C.
  def listening(script)
    Open3.popen2e(*command(script, "~127.0.0.1:0")) do |_, output, process|
      port = output.gets[/\Alistening on port (\d+)$/, 1]
      yield port
      Process.kill(:INT, process.pid)
      printed = output.read
      assert_predicate process.value, :success?, printed
      printed
    end
  end

  def run_script(script, *arguments)
    output, status = Open3.capture2e(*command(script, *arguments))
    assert_predicate status, :success?, output
    output
  end

  def test_send_and_recv
    printed = listening("recv.rb") do |port|
      assert_equal "hello: accepted\nworld: accepted\n", run_script("send.rb", "127.0.0.1:#{port}/greetings", "hello", "world")
    end
    assert_equal "\"hello\"\n\"world\"\nenough\n", printed
  end

  def test_request_and_serve
    printed = listening("serve.rb") do |port|
      assert_equal "hello: HELLO\nworld: WORLD\n", run_script("request.rb", "127.0.0.1:#{port}/capitals", "hello", "world")
    end
    assert_equal "enough\n", printed
  end
end
