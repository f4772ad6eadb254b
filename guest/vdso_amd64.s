#include "textflag.h"

// What the guests run instead of the kernel's vDSO. The code is copied out of
// this binary, so it must not refer to any symbol. The addresses and offsets
// below are also in vdso.go.
#define bootCall $100001
#define codePage $0x100000
#define clockPage $0x101000
#define tscSetup $0x100600
#define now 0(R8)
#define limit 8(R8)
#define step 16(R8)
#define calendarAt 24(R8)
#define calendarBase 32(R8)
#define calendarRate 40(R8)
#define booted 56(R8)

// vdsoBoot maps the two pages of the host's clock and jumps to the program's
// entry point, which is written over the constant in its last instructions.
// It replaces the entry point at exec. The answer to bootCall is a descriptor.
TEXT ·vdsoBoot(SB), NOSPLIT|NOFRAME, $0
	MOVQ	bootCall, AX
	SYSCALL
	MOVQ	AX, R8
	MOVQ	$9, AX             // mmap
	MOVQ	codePage, DI
	MOVQ	$4096, SI
	MOVQ	$5, DX             // PROT_READ|PROT_EXEC
	MOVQ	$0x100001, R10     // MAP_SHARED|MAP_FIXED_NOREPLACE
	MOVQ	$0, R9
	SYSCALL
	MOVQ	$9, AX
	MOVQ	clockPage, DI
	MOVQ	$3, DX             // PROT_READ|PROT_WRITE
	MOVQ	$4096, R9
	SYSCALL
	MOVQ	R8, DI
	MOVQ	$3, AX             // close
	SYSCALL
	MOVQ	tscSetup, AX
	CALL	AX
	XORL	AX, AX
	XORL	DX, DX
	XORL	CX, CX
	XORL	SI, SI
	XORL	DI, DI
	XORL	R8, R8
	XORL	R9, R9
	XORL	R10, R10
	MOVQ	$0x1122334455667788, R11
	JMP	R11
TEXT ·vdsoBootEnd(SB), NOSPLIT|NOFRAME, $0
	RET

// vdsoCode is the content of the code page: at 0, 256, 512, 768, 1024 and 1280
// the functions clock_gettime, gettimeofday, time, clock_getres, getcpu and
// getrandom (vdsoLayout in vdso.go copies them there).
//
// The calendar shows calendarAt at instant calendarBase, and from then on gains
// calendarRate/2^32 of the time that passes. The other clocks count from booted.
//
// A reading moves the clock by one step, unless that would pass the limit (the
// instant of the next event), where the guest must enter the emulator.

// int clock_gettime(clockid_t, struct timespec *)
TEXT ·vdsoClockGettime(SB), NOSPLIT|NOFRAME, $0
	MOVQ	clockPage, R8
	XORL	R9, R9
	CMPL	DI, $1             // CLOCK_MONOTONIC
	JEQ	read
	CMPL	DI, $0             // CLOCK_REALTIME
	JEQ	calendar
	CMPL	DI, $4             // CLOCK_MONOTONIC_RAW
	JEQ	read
	CMPL	DI, $7             // CLOCK_BOOTTIME
	JEQ	read
	CMPL	DI, $6             // CLOCK_MONOTONIC_COARSE
	JEQ	read
	CMPL	DI, $5             // CLOCK_REALTIME_COARSE
	JEQ	calendar
enter:
	MOVQ	$228, AX
	SYSCALL
	RET
calendar:
	INCL	R9
read:
	MOVQ	now, AX
	ADDQ	step, AX
	CMPQ	AX, limit
	JHI	enter
	MOVQ	AX, now
	TESTL	R9, R9
	JNZ	dated
	SUBQ	booted, AX
	JMP	told
dated:
	SUBQ	calendarBase, AX
	MOVQ	AX, R10
	IMULQ	calendarRate
	SHRQ	$32, DX, AX
	ADDQ	R10, AX
	ADDQ	calendarAt, AX
told:
	LEAL	-5(DI), R10
	CMPL	R10, $1            // 5 and 6 are the coarse clocks
	JHI	exact
	MOVQ	AX, R10
	XORL	DX, DX
	MOVQ	$4000000, R9
	DIVQ	R9
	MOVQ	R10, AX
	SUBQ	DX, AX
exact:
	XORL	DX, DX
	MOVQ	$1000000000, R9
	DIVQ	R9
	MOVQ	AX, 0(SI)
	MOVQ	DX, 8(SI)
	XORL	AX, AX
	RET
TEXT ·vdsoClockGettimeEnd(SB), NOSPLIT|NOFRAME, $0
	RET

// int gettimeofday(struct timeval *, struct timezone *)
TEXT ·vdsoGettimeofday(SB), NOSPLIT|NOFRAME, $0
	TESTQ	SI, SI
	JNZ	enter
	TESTQ	DI, DI
	JZ	enter
	MOVQ	clockPage, R8
	MOVQ	now, AX
	ADDQ	step, AX
	CMPQ	AX, limit
	JHI	enter
	MOVQ	AX, now
	SUBQ	calendarBase, AX
	MOVQ	AX, R10
	IMULQ	calendarRate
	SHRQ	$32, DX, AX
	ADDQ	R10, AX
	ADDQ	calendarAt, AX
	XORL	DX, DX
	MOVQ	$1000000000, R9
	DIVQ	R9
	MOVQ	AX, 0(DI)
	MOVQ	DX, AX
	XORL	DX, DX
	MOVQ	$1000, R9
	DIVQ	R9
	MOVQ	AX, 8(DI)
	XORL	AX, AX
	RET
enter:
	MOVQ	$96, AX
	SYSCALL
	RET
TEXT ·vdsoGettimeofdayEnd(SB), NOSPLIT|NOFRAME, $0
	RET

// time_t time(time_t *)
TEXT ·vdsoTime(SB), NOSPLIT|NOFRAME, $0
	MOVQ	clockPage, R8
	MOVQ	now, AX
	ADDQ	step, AX
	CMPQ	AX, limit
	JHI	enter
	MOVQ	AX, now
	SUBQ	calendarBase, AX
	MOVQ	AX, R10
	IMULQ	calendarRate
	SHRQ	$32, DX, AX
	ADDQ	R10, AX
	ADDQ	calendarAt, AX
	XORL	DX, DX
	MOVQ	$1000000000, R9
	DIVQ	R9
	TESTQ	DI, DI
	JZ	out
	MOVQ	AX, 0(DI)
out:
	RET
enter:
	MOVQ	$201, AX
	SYSCALL
	RET
TEXT ·vdsoTimeEnd(SB), NOSPLIT|NOFRAME, $0
	RET

// int clock_getres(clockid_t, struct timespec *)
TEXT ·vdsoClockGetres(SB), NOSPLIT|NOFRAME, $0
	MOVQ	$229, AX
	SYSCALL
	RET
TEXT ·vdsoClockGetresEnd(SB), NOSPLIT|NOFRAME, $0
	RET

// int getcpu(unsigned *, unsigned *, void *)
TEXT ·vdsoGetcpu(SB), NOSPLIT|NOFRAME, $0
	MOVQ	$309, AX
	SYSCALL
	RET
TEXT ·vdsoGetcpuEnd(SB), NOSPLIT|NOFRAME, $0
	RET

// ssize_t getrandom(void *, size_t, unsigned, void *, size_t): ENOSYS to the
// question for its parameters, so that callers use the system call.
TEXT ·vdsoGetrandom(SB), NOSPLIT|NOFRAME, $0
	CMPQ	R8, $-1
	JNE	enter
	MOVQ	$-38, AX
	RET
enter:
	MOVQ	$318, AX
	SYSCALL
	RET
TEXT ·vdsoGetrandomEnd(SB), NOSPLIT|NOFRAME, $0
	RET

// func vdsoText(i int) (start, end uintptr)
TEXT ·vdsoText(SB), NOSPLIT, $0-24
	MOVQ	i+0(FP), CX
	LEAQ	·vdsoBoot(SB), AX
	LEAQ	·vdsoBootEnd(SB), DX
	CMPQ	CX, $0
	JEQ	out
	LEAQ	·vdsoClockGettime(SB), AX
	LEAQ	·vdsoClockGettimeEnd(SB), DX
	CMPQ	CX, $1
	JEQ	out
	LEAQ	·vdsoGettimeofday(SB), AX
	LEAQ	·vdsoGettimeofdayEnd(SB), DX
	CMPQ	CX, $2
	JEQ	out
	LEAQ	·vdsoTime(SB), AX
	LEAQ	·vdsoTimeEnd(SB), DX
	CMPQ	CX, $3
	JEQ	out
	LEAQ	·vdsoClockGetres(SB), AX
	LEAQ	·vdsoClockGetresEnd(SB), DX
	CMPQ	CX, $4
	JEQ	out
	LEAQ	·vdsoGetcpu(SB), AX
	LEAQ	·vdsoGetcpuEnd(SB), DX
	CMPQ	CX, $5
	JEQ	out
	LEAQ	·vdsoGetrandom(SB), AX
	LEAQ	·vdsoGetrandomEnd(SB), DX
out:
	MOVQ	AX, start+8(FP)
	MOVQ	DX, end+16(FP)
	RET
