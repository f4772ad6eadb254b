# echo_server.rb PORT CLIENTS single|threaded: echoes the lines of so many clients.
require "socket"

port, clients, kind = ARGV[0].to_i, ARGV[1].to_i, ARGV[2]
server = TCPServer.new("0.0.0.0", port)
puts "listening"
$stdout.flush
echo = lambda do |client|
  while (line = client.gets)
    client.puts line
  end
  client.close
end
threads = []
clients.times do
  client = server.accept
  if kind == "threaded"
    threads << Thread.new(client, &echo)
  else
    echo.call(client)
  end
end
threads.each(&:join)
puts "served #{clients}"
