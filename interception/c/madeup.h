// What every mechanism does, if it can: getppid answers MADE_UP, and the calendar
// clock tells MADE_UP seconds. Only that clock: subjects measure by another one.
#ifndef MADEUP_H
#define MADEUP_H

#define MADE_UP 4242

#endif
