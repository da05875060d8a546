/* Numbers of JSON that a double or a long long holds exactly as they are meant. */

#ifndef OZZY_NUMBER_H
#define OZZY_NUMBER_H

#include "native.h"

typedef struct {
    enum { OTHER, WHOLE, FRACTION } kind;
    long long whole;
    double fraction;
} Number;

static inline int
is_digit(const byte *at, const byte *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

/* Whether a whole number is a double too. */
static inline int
is_exact(long long whole)
{
    return whole <= 1LL << 53 && whole >= -(1LL << 53);
}

/* A number of few digits; OTHER for any that is not known to be exact. */
Number exact_number(const byte *at, const byte *end);

#endif
