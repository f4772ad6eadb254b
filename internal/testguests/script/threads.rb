# Ruby: threads, queues, timeouts, pipes, processes, signals, sockets.
require "io/wait"
require "open3"
require "socket"
require "timeout"

puts "threads"
queue = Queue.new
workers = 4.times.map { |i| Thread.new { 3.times { |j| sleep 0.01; queue << i * 10 + j } } }
workers.each(&:join)
p Array.new(queue.size) { queue.pop }.sort
mutex, ready, order = Mutex.new, ConditionVariable.new, []
waiter = Thread.new { mutex.synchronize { ready.wait(mutex) while order.empty?; order << 2 } }
sleep 0.05
mutex.synchronize { order << 1; ready.signal }
waiter.join
p order

puts "timeouts"
begin
  Timeout.timeout(0.1) { sleep 100 }
rescue Timeout::Error
  puts "timeout"
end
reader, writer = IO.pipe
p reader.wait_readable(0.05)
writer << "word"
p reader.wait_readable(5).equal?(reader), reader.read_nonblock(10)
begin
  reader.read_nonblock(10)
rescue IO::WaitReadable
  puts "would block"
end
writer.close
p reader.read

puts "processes"
p `printf hello`, $?.exitstatus
out, status = Open3.capture2("tr a-z A-Z", stdin_data: "shout" * 20000)
p out.size, out[0, 5], status.success?
pid = fork { exit! 5 }
p Process.wait2(pid)[1].exitstatus
pid = spawn("sleep 100")
Process.kill(:TERM, pid)
p Process.wait2(pid)[1].termsig

puts "signals"
got = []
trap(:USR1) { got << :usr1 }
Process.kill(:USR1, Process.pid)
sleep 0.05
p got

puts "sockets"
server = TCPServer.new("127.0.0.1", 0)
port = server.addr[1]
echo = Thread.new { 3.times { c = server.accept; Thread.new { c.write(c.read); c.close } } }
answers = 3.times.map do |i|
  Thread.new { TCPSocket.open("127.0.0.1", port) { |s| s.write("#{i}" * 50000); s.close_write; s.read.size } }
end
p answers.map(&:value)
echo.join
UNIXSocket.pair.then { |a, b| a.send_io($stdout); io = b.recv_io; io.puts "sent descriptor"; io.flush }
receiver = UDPSocket.new
receiver.bind("127.0.0.1", 0)
UDPSocket.new.send("datagram", 0, "127.0.0.1", receiver.addr[1])
p receiver.recvfrom(100)[0]
server.close
begin
  TCPSocket.new("127.0.0.1", port)
rescue Errno::ECONNREFUSED => e
  puts e.class
end
