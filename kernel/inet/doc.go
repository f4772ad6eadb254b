// Package inet is the Internet side of the emulated kernel: TCP, UDP and ICMP
// sockets over IPv4 and IPv6, one Stack per host. A Carrier says when what is
// sent arrives.
package inet
