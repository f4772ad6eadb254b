#include "textflag.h"

// The addresses and numbers below are also in agent.go.
#define agentData $0x200000
#define agentCall $100000

// agentCode carries out lists of system calls. The list at agentData is
//
//	count uint64, told uint64, 6 unused words, then count times
//	{number, six arguments, result, flags}
//
// Flag 1 ends the list when the call fails; flag 2 ends it unless the result
// is 0, which is how a new child goes on with the rest of the list and its
// parent does not. A finished list is told by the call agentCall, at which a
// host's agent stops; the answer means that the next list is in place. Where
// told is not 0, as in the first agent, which no filter stops, a byte is written
// to standard input, a socket, and one is read from it. It uses no stack, so its children may share nothing with it.
TEXT ·agentCode(SB), NOSPLIT|NOFRAME, $0
	MOVQ	agentData, R12
list:
	MOVQ	(R12), R14
	LEAQ	64(R12), R13
next:
	TESTQ	R14, R14
	JZ	done
	MOVQ	0(R13), AX
	MOVQ	8(R13), DI
	MOVQ	16(R13), SI
	MOVQ	24(R13), DX
	MOVQ	32(R13), R10
	MOVQ	40(R13), R8
	MOVQ	48(R13), R9
	SYSCALL
	MOVQ	AX, 56(R13)
	MOVQ	64(R13), BX
	TESTQ	$2, BX
	JZ	failed
	TESTQ	AX, AX
	JNZ	done
failed:
	TESTQ	$1, BX
	JZ	advance
	CMPQ	AX, $-4095
	JCC	done
advance:
	ADDQ	$72, R13
	DECQ	R14
	JMP	next
done:
	CMPQ	8(R12), $0
	JNE	socket
	MOVQ	agentCall, AX
	MOVQ	R14, DI
	SYSCALL
	TESTQ	AX, AX
	JZ	list
exit:
	MOVQ	$231, AX           // exit_group: nobody listens any more
	SYSCALL
socket:
	MOVQ	$1, AX             // write
	XORQ	DI, DI
	LEAQ	8(R12), SI
	MOVQ	$1, DX
	SYSCALL
	XORQ	AX, AX             // read
	XORQ	DI, DI
	LEAQ	16(R12), SI
	MOVQ	$1, DX
	SYSCALL
	CMPQ	AX, $1
	JEQ	list
	JMP	exit
TEXT ·agentCodeEnd(SB), NOSPLIT|NOFRAME, $0
	RET

// func agentText() (start, end uintptr)
TEXT ·agentText(SB), NOSPLIT, $0-16
	LEAQ	·agentCode(SB), AX
	MOVQ	AX, start+0(FP)
	LEAQ	·agentCodeEnd(SB), AX
	MOVQ	AX, end+8(FP)
	RET
