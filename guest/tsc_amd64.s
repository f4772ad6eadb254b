#include "textflag.h"

// What answers the instructions rdtsc and rdtscp in guests, from the host's clock.
// With PR_SET_TSC they raise SIGSEGV. Our handler is installed under the guest's
// own: the kernel's sa_restorer of SIGSEGV holds the address of the guest's handler
// (0 and 1 are SIG_DFL and SIG_IGN), which gets what is not ours as if it had been
// called by the kernel; bit 63 tells that it is to be called only once. The code is copied to the code page, so it must not refer
// to any symbol; addresses and offsets are also in tsc.go and vdso_amd64.s.
#define clockPage $0x101000
#define ourAction $0x100800
#define noAction $0x100840
#define restorer $0x100880
#define trapped 48(R8)
#define booted 56(R8)
#define now 0(R8)
#define limit 8(R8)
#define step 16(R8)

// tscSetup is called at the start of each program, on its stack: it installs the
// handler and forbids the instructions, if the clock page says so.
TEXT ·tscSetup(SB), NOSPLIT|NOFRAME, $0
	MOVQ	clockPage, R8
	CMPQ	trapped, $0
	JEQ	out
	MOVQ	$13, AX            // rt_sigaction
	MOVQ	$11, DI            // SIGSEGV
	MOVQ	ourAction, SI
	XORL	DX, DX
	MOVQ	$8, R10
	SYSCALL
	MOVQ	$157, AX           // prctl
	MOVQ	$26, DI            // PR_SET_TSC
	MOVQ	$2, SI             // PR_TSC_SIGSEGV
	MOVQ	$0x100000, DX      // the code page: a mark for the emulator
	SYSCALL
out:
	RET
TEXT ·tscSetupEnd(SB), NOSPLIT|NOFRAME, $0
	RET

// tscHandler is void handler(int, siginfo_t *, ucontext_t *). In ucontext_t, rdx
// lies at 136, rax at 144, rcx at 152, rip at 168 (asm/sigcontext.h).
TEXT ·tscHandler(SB), NOSPLIT|NOFRAME, $0
	CMPL	8(SI), $0x80       // si_code is SI_KERNEL: no page is missing
	JNE	other
	MOVQ	168(DX), R9
	MOVWLZX	(R9), AX
	CMPL	AX, $0x310f        // rdtsc
	JEQ	two
	CMPL	AX, $0x010f
	JNE	other
	CMPB	2(R9), $0xf9       // rdtscp
	JNE	other
	INCQ	R9
	MOVQ	$0, 152(DX)        // the processor's number
two:
	ADDQ	$2, R9
	MOVQ	R9, 168(DX)
	MOVQ	DX, R10
	MOVQ	clockPage, R8
	MOVQ	now, AX
	ADDQ	step, AX
	CMPQ	AX, limit
	JHI	enter
	MOVQ	AX, now
	SUBQ	booted, AX
tell:
	MOVL	AX, CX             // a count of nanoseconds: 1 GHz
	SHRQ	$32, AX
	MOVQ	CX, 144(R10)
	MOVQ	AX, 136(R10)
back:
	ADDQ	$8, SP
	MOVQ	$15, AX            // rt_sigreturn
	SYSCALL
enter:
	MOVQ	$228, AX           // clock_gettime
	MOVQ	$1, DI             // CLOCK_MONOTONIC
	LEAQ	-32(SP), SI
	SYSCALL
	MOVQ	-32(SP), AX
	IMULQ	$1000000000, AX
	ADDQ	-24(SP), AX
	JMP	tell
other:
	MOVQ	(SP), R11          // the guest's handler
	BTRQ	$63, R11
	JCC	keep
	MOVQ	SI, R12            // with SA_RESETHAND: back to SIG_DFL below ours
	MOVQ	DX, R13
	MOVQ	R11, R14
	MOVQ	$13, AX
	MOVQ	$11, DI
	MOVQ	ourAction, SI
	XORL	DX, DX
	MOVQ	$8, R10
	SYSCALL
	MOVQ	$11, DI
	MOVQ	R12, SI
	MOVQ	R13, DX
	MOVQ	R14, R11
keep:
	CMPQ	R11, $1
	JLS	none
	MOVQ	restorer, AX
	MOVQ	AX, (SP)
	XORL	AX, AX
	JMP	R11
none:
	CMPL	8(SI), $0
	JGT	fatal              // the kernel's own: not to be ignored
	CMPQ	R11, $1
	JEQ	back
fatal:
	// Back to SIG_DFL, and again: the instruction faults once more, and a
	// signal that somebody has sent is sent once more.
	MOVL	8(SI), R12
	MOVQ	$13, AX
	MOVQ	$11, DI
	MOVQ	noAction, SI
	XORL	DX, DX
	MOVQ	$8, R10
	SYSCALL
	CMPL	R12, $0
	JGT	back
	MOVQ	$39, AX            // getpid
	SYSCALL
	MOVQ	AX, R13
	MOVQ	$186, AX           // gettid
	SYSCALL
	MOVQ	R13, DI
	MOVQ	AX, SI
	MOVQ	$11, DX
	MOVQ	$234, AX           // tgkill
	SYSCALL
	JMP	back
TEXT ·tscHandlerEnd(SB), NOSPLIT|NOFRAME, $0
	RET

// tscRestorer is what debuggers and unwinders know a signal frame by: the very
// bytes of the C library's.
TEXT ·tscRestorer(SB), NOSPLIT|NOFRAME, $0
	BYTE	$0x48; BYTE $0xc7; BYTE $0xc0; BYTE $0x0f; BYTE $0; BYTE $0; BYTE $0
	BYTE	$0x0f; BYTE $0x05
TEXT ·tscRestorerEnd(SB), NOSPLIT|NOFRAME, $0
	RET

// func tscText(i int) (start, end unsafe.Pointer)
TEXT ·tscText(SB), NOSPLIT, $0-24
	MOVQ	i+0(FP), CX
	LEAQ	·tscSetup(SB), AX
	LEAQ	·tscSetupEnd(SB), DX
	CMPQ	CX, $0
	JEQ	out
	LEAQ	·tscHandler(SB), AX
	LEAQ	·tscHandlerEnd(SB), DX
	CMPQ	CX, $1
	JEQ	out
	LEAQ	·tscRestorer(SB), AX
	LEAQ	·tscRestorerEnd(SB), DX
out:
	MOVQ	AX, start+8(FP)
	MOVQ	DX, end+16(FP)
	RET
