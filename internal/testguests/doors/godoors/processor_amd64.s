#include "textflag.h"

// func rdtsc() int64
TEXT ·rdtsc(SB), NOSPLIT, $0-8
	RDTSC
	SHLQ $32, DX
	ORQ  DX, AX
	MOVQ AX, ret+0(FP)
	RET

// func rdtscp() int64
TEXT ·rdtscp(SB), NOSPLIT, $0-8
	RDTSCP
	SHLQ $32, DX
	ORQ  DX, AX
	MOVQ AX, ret+0(FP)
	RET

// func rdrand() uint64
TEXT ·rdrand(SB), NOSPLIT, $0-8
again:
	RDRANDQ AX
	JCC     again
	MOVQ    AX, ret+0(FP)
	RET

// func rdseed() uint64
TEXT ·rdseed(SB), NOSPLIT, $0-8
again:
	RDSEEDQ AX
	JCC     again
	MOVQ    AX, ret+0(FP)
	RET
