package emulator

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/guest"
	"github.com/simterpose/simterpose/platform"
)

// The network interfaces that a host's guests see are real ones of its network
// namespace, so that programs which ask the kernel about them get true answers.
// They carry nothing: eth0 is one end of a veth pair whose other end lies in
// the experiment's first namespace and leads nowhere.

// linkIndexLoopback is the index of lo in every new network namespace.
const linkIndexLoopback = 1

// linkIndexEthernet is the index of eth0.
const linkIndexEthernet = 2

// outerIndex is the index of the first outer end. The kernel takes a second to
// notice that an interface is connected when both ends have the same index.
const outerIndex = 1000

// operationalUp is IF_OPER_UP of linux/if.h.
const operationalUp = 6

// vethRequest is the rtnetlink request that makes eth0 in the network namespace
// of a process, and its other end in the caller's. n counts hosts.
func vethRequest(n, pid int, hardware [6]byte) []byte {
	request := nl.NewNetlinkRequest(unix.RTM_NEWLINK, unix.NLM_F_CREATE|unix.NLM_F_EXCL|unix.NLM_F_ACK)
	outer := nl.NewIfInfomsg(unix.AF_UNSPEC)
	outer.Index, outer.Flags, outer.Change = outerIndex+int32(n), unix.IFF_UP, unix.IFF_UP
	request.AddData(outer)
	request.AddData(nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(fmt.Sprintf("host%d", n))))
	info := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
	info.AddRtAttr(nl.IFLA_INFO_KIND, nl.NonZeroTerminated("veth"))
	data := info.AddRtAttr(nl.IFLA_INFO_DATA, nil)
	peer := data.AddRtAttr(nl.VETH_INFO_PEER, nil)
	nl.NewIfInfomsgChild(peer, unix.AF_UNSPEC)
	peer.AddRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated("eth0"))
	peer.AddRtAttr(unix.IFLA_ADDRESS, hardware[:])
	peer.AddRtAttr(unix.IFLA_NET_NS_PID, nl.Uint32Attr(uint32(pid)))
	request.AddData(info)
	return request.Serialize()
}

// deleteRequest removes what vethRequest made.
func deleteRequest(n int) []byte {
	request := nl.NewNetlinkRequest(unix.RTM_DELLINK, unix.NLM_F_ACK)
	message := nl.NewIfInfomsg(unix.AF_UNSPEC)
	message.Index = outerIndex + int32(n)
	request.AddData(message)
	return request.Serialize()
}

// quietSettings keep the kernel from giving interfaces addresses by itself,
// which takes real time.
var quietSettings = []guest.Setting{{Path: "/proc/sys/net/ipv6/conf/default/addr_gen_mode", Value: "1"}}

// hostSettings are those that would show whom the machine's user namespace maps.
var hostSettings = []guest.Setting{{Path: "/proc/sys/net/ipv4/ping_group_range", Value: "0 0"}}

// upRequest turns an interface on.
func upRequest(index int32) []byte {
	request := nl.NewNetlinkRequest(unix.RTM_NEWLINK, unix.NLM_F_ACK)
	message := nl.NewIfInfomsg(unix.AF_UNSPEC)
	message.Index, message.Flags, message.Change = index, unix.IFF_UP, unix.IFF_UP
	request.AddData(message)
	if index != linkIndexLoopback {
		// Without this the state is unknown until the kernel finds it out; if it
		// has already found that the other end was down, see awaitRunning.
		request.AddData(nl.NewRtAttr(unix.IFLA_OPERSTATE, nl.Uint8Attr(operationalUp)))
	}
	return request.Serialize()
}

// addressRequest gives an interface an address.
func addressRequest(index uint32, prefix netip.Prefix, scope uint8) []byte {
	request := nl.NewNetlinkRequest(unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_EXCL|unix.NLM_F_ACK)
	family := unix.AF_INET
	if prefix.Addr().Is6() {
		family = unix.AF_INET6
	}
	message := nl.NewIfAddrmsg(family)
	message.Index, message.Prefixlen, message.Scope = index, uint8(prefix.Bits()), scope
	message.IfAddrmsg.Flags = unix.IFA_F_NODAD | unix.IFA_F_PERMANENT
	request.AddData(message)
	bytes := prefix.Addr().AsSlice()
	request.AddData(nl.NewRtAttr(unix.IFA_LOCAL, bytes))
	request.AddData(nl.NewRtAttr(unix.IFA_ADDRESS, bytes))
	if family == unix.AF_INET {
		mask := ^uint32(0) << (32 - prefix.Bits())
		broadcast := binary.BigEndian.Uint32(bytes) | ^mask
		request.AddData(nl.NewRtAttr(unix.IFA_BROADCAST, binary.BigEndian.AppendUint32(nil, broadcast)))
	}
	return request.Serialize()
}

// defaultRouteRequest sends everything else to an interface.
func defaultRouteRequest(index uint32, family int) []byte {
	request := nl.NewNetlinkRequest(unix.RTM_NEWROUTE, unix.NLM_F_CREATE|unix.NLM_F_EXCL|unix.NLM_F_ACK)
	message := nl.NewRtMsg()
	message.Family = uint8(family)
	message.Scope = unix.RT_SCOPE_LINK
	if family == unix.AF_INET6 {
		message.Scope = unix.RT_SCOPE_UNIVERSE
	}
	request.AddData(message)
	request.AddData(nl.NewRtAttr(unix.RTA_OIF, nl.Uint32Attr(index)))
	return request.Serialize()
}

// hardwareAddress is a locally administered MAC address made of an IPv4 one.
func hardwareAddress(a netip.Addr) (mac [6]byte) {
	mac[0] = 2
	four := a.As4()
	copy(mac[2:], four[:])
	return mac
}

// addressesOf are a host's addresses, IPv4 first.
func addressesOf(h *platform.Host) []netip.Addr {
	v4, v6 := h.Addresses()
	return []netip.Addr{v4, v6}
}

// prefixes are the addresses of a host with the networks that they are on.
func prefixes(addresses []netip.Addr, networks []netip.Prefix) []netip.Prefix {
	var list []netip.Prefix
	for _, a := range addresses {
		prefix := netip.PrefixFrom(a, a.BitLen())
		for _, n := range networks {
			if n.Contains(a) {
				prefix = netip.PrefixFrom(a, n.Bits())
			}
		}
		list = append(list, prefix)
	}
	return list
}

// awaitRunning waits until the kernel has noticed that eth0, in the network
// namespace of a socket, is connected.
func awaitRunning(socket int) error {
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(200 * time.Microsecond) {
		request, err := unix.NewIfreq("eth0")
		if err != nil {
			return err
		}
		if err := unix.IoctlIfreq(socket, unix.SIOCGIFFLAGS, request); err != nil {
			return fmt.Errorf("state of eth0: %w", err)
		}
		if request.Uint16()&unix.IFF_RUNNING != 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return errors.New("eth0 does not come up")
		}
	}
}
