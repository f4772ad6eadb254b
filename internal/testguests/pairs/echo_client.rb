# echo_client.rb HOST PORT CLIENTS: connections one after the other to an echo server.
require "socket"

host, port, clients = ARGV[0], ARGV[1].to_i, ARGV[2].to_i
clients.times do |i|
  TCPSocket.open(host, port) do |s|
    back = ["hello", "from", i.to_s].map do |word|
      s.puts word
      s.gets.chomp
    end
    puts back.join(" ")
  end
end
