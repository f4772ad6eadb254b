package trace

// Action is what a record says that an actor did.
type Action uint8

// The actions of SimGrid's time-independent traces.
const (
	Init Action = iota
	Finalize
	Compute
	Sleep
	Send
	Recv
	ISend
	IRecv
	Wait
	Test
	WaitAll
	Barrier
	Bcast
	Reduce
	AllReduce
	AllToAll
	Gather
	AllGather
	Scatter
	CommSize
	CommSplit
	CommDup
	Location

	// Begin is a thread's first action; Spawn lets another one begin. Exec is
	// that its process runs a program.
	Begin
	Spawn
	Exec
	End
	// Delay is what system calls and readings of the clock took.
	Delay
	// Wake is an action of a thread for which another one waits with Await.
	Wake
	Await
	// Put and Get are what goes through pipes.
	Put
	Get

	// The actions of sockets.
	Socket
	Option
	Bind
	Listen
	Connect
	Connected
	Accept
	Write
	Read
	Shutdown
	Close
	SendTo
	ReceiveFrom
	// Ready is a wait until a socket can be read, or written.
	Ready
)

// argument is what a word of a record means.
type argument uint8

const (
	peer      argument = iota // a rank, an actor
	from                      // the rank that sends, in wait and test
	tag                       // of a message
	amount                    // bytes or elements, flops, seconds
	amount2                   // elements received, or flops
	root                      // a rank
	datatype                  // SMPI's number of a type
	datatype2                 // of what is received
	sock                      // a socket
	sock2                     // a socket that was accepted
	name                      // a host, a kind of socket
	label                     // a process
	port                      // of TCP or UDP
	pid                       // a process's number
	tid                       // a thread's number
	flags                     // how to shut down, an option's level
	number                    // a backlog, an option's name, a count
	data                      // an option's value, hexadecimal
	rest                      // words without a meaning for us
	optional  argument = 0x80 // it, and all that follow it, may be left out
)

type form struct {
	name      string
	usage     string
	arguments []argument
}

var forms = [...]form{
	Init:      {"init", "[DEFAULT]", []argument{number | optional}},
	Finalize:  {"finalize", "", nil},
	Compute:   {"compute", "FLOPS", []argument{amount}},
	Sleep:     {"sleep", "SECONDS", []argument{amount}},
	Send:      {"send", "RANK TAG COUNT [TYPE]", []argument{peer, tag, amount, datatype | optional}},
	Recv:      {"recv", "RANK TAG COUNT [TYPE]", []argument{peer, tag, amount, datatype | optional}},
	ISend:     {"isend", "RANK TAG COUNT [TYPE]", []argument{peer, tag, amount, datatype | optional}},
	IRecv:     {"irecv", "RANK TAG COUNT [TYPE]", []argument{peer, tag, amount, datatype | optional}},
	Wait:      {"wait", "SOURCE DESTINATION TAG", []argument{from, peer, tag}},
	Test:      {"test", "SOURCE DESTINATION TAG", []argument{from, peer, tag}},
	WaitAll:   {"waitall", "[REQUESTS]", []argument{number | optional}},
	Barrier:   {"barrier", "", nil},
	Bcast:     {"bcast", "COUNT [ROOT [TYPE]]", []argument{amount, root | optional, datatype | optional}},
	Reduce:    {"reduce", "COUNT FLOPS [ROOT [TYPE]]", []argument{amount, amount2, root | optional, datatype | optional}},
	AllReduce: {"allreduce", "COUNT FLOPS [TYPE]", []argument{amount, amount2, datatype | optional}},
	AllToAll:  {"alltoall", "SENT RECEIVED [TYPE [TYPE]]", []argument{amount, amount2, datatype | optional, datatype2 | optional}},
	Gather:    {"gather", "SENT RECEIVED [ROOT [TYPE [TYPE]]]", []argument{amount, amount2, root | optional, datatype | optional, datatype2 | optional}},
	AllGather: {"allgather", "SENT RECEIVED [TYPE [TYPE]]", []argument{amount, amount2, datatype | optional, datatype2 | optional}},
	Scatter:   {"scatter", "SENT RECEIVED [ROOT [TYPE [TYPE]]]", []argument{amount, amount2, root | optional, datatype | optional, datatype2 | optional}},
	CommSize:  {"comm_size", "...", []argument{rest}},
	CommSplit: {"comm_split", "...", []argument{rest}},
	CommDup:   {"comm_dup", "...", []argument{rest}},
	Location:  {"location", "...", []argument{rest}},

	Begin: {"begin", "SECONDS HOST PROCESS PID TID", []argument{amount, name, label, pid, tid}},
	Spawn: {"spawn", "ACTOR", []argument{peer}},
	Exec:  {"exec", "PROGRAM [RANK]", []argument{label, number | optional}},
	End:   {"end", "", nil},
	Delay: {"delay", "SECONDS", []argument{amount}},
	Wake:  {"wake", "ACTOR", []argument{peer}},
	Await: {"await", "ACTOR", []argument{peer}},

	Put: {"put", "PIPE BYTES", []argument{peer, amount}},
	Get: {"get", "PIPE BYTES", []argument{peer, amount}},

	Socket:      {"socket", "SOCKET tcp4|tcp6|udp4|udp6", []argument{sock, name}},
	Option:      {"option", "SOCKET LEVEL NAME VALUE", []argument{sock, flags, number, data}},
	Bind:        {"bind", "SOCKET HOST PORT", []argument{sock, name, port}},
	Listen:      {"listen", "SOCKET BACKLOG PORT", []argument{sock, number, port}},
	Connect:     {"connect", "SOCKET HOST PORT", []argument{sock, name, port}},
	Connected:   {"connected", "SOCKET", []argument{sock}},
	Accept:      {"accept", "LISTENER SOCKET CLIENT", []argument{sock, sock2, peer}},
	Write:       {"write", "SOCKET BYTES [FLAGS]", []argument{sock, amount, flags | optional}},
	Read:        {"read", "SOCKET BYTES", []argument{sock, amount}},
	Shutdown:    {"shutdown", "SOCKET HOW", []argument{sock, flags}},
	Close:       {"close", "SOCKET", []argument{sock}},
	SendTo:      {"sendto", "SOCKET HOST PORT BYTES", []argument{sock, name, port, amount}},
	Ready:       {"ready", "SOCKET EVENTS [BYTES]", []argument{sock, flags, amount | optional}},
	ReceiveFrom: {"recvfrom", "SOCKET BYTES SENDER", []argument{sock, amount, peer}},
}

func (a Action) String() string { return forms[a].name }

// OfThreads tells whether an action is of the extension for general programs.
func (a Action) OfThreads() bool { return a >= Begin }

// Absent is the value of a number that a record may leave out and does.
const Absent = -1

// Record is one line of a trace. Which fields count depends on the action.
type Record struct {
	Actor  int
	Action Action
	// Given is the number of words after the action.
	Given int

	// Peer is the other rank of a message, the actor spawned, woken or waited
	// for, a pipe, or the socket whose connection is accepted or whose datagram is received
	// (negative: unknown); From the rank that sends what is waited for.
	Peer, From, Tag int
	// Root is a collective's, 0 if absent.
	Root int
	// Type and Type2 are SMPI's numbers of datatypes, Absent for the default.
	Type, Type2 int
	// Amount is in bytes, in elements of Type, in flops or in seconds; Amount2
	// is a collective's elements received, or its flops.
	Amount, Amount2 float64

	// Name is a host or a kind of socket, Label a process.
	Name, Label      string
	Socket, Accepted int
	Port             uint16
	PID, TID         int
	// Number is a backlog, an option's name, a count of requests or the rank of
	// MPI that a program is.
	Flags, Number int
	Data          []byte
	Rest          string
}
