package main

// What a program asks the processor itself: its counter, and its random numbers.

func rdtsc() int64

func rdtscp() int64

func rdrand() uint64

func rdseed() uint64
