/* Numbers of JSON: a double of an integer below 2^53, times or by a power of ten that is a double itself, is rounded once, and so right
   (W. D. Clinger, How to Read Floating Point Numbers Accurately, 1990). */

#include "number.h"

#include <float.h>

#define MOST_DIGITS 18
#define LARGEST_EXPONENT 22

static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

Number
exact_number(const byte *at, const byte *end)
{
    Number none = {OTHER, 0, 0};
    int negative = at < end && *at == '-', digits = 0, exponent = 0;
    uint64_t mantissa = 0;
    at += negative;
    if (!is_digit(at, end))
        return none;
    for (; is_digit(at, end); at++) {
        mantissa = mantissa * 10 + (uint64_t)(*at - '0');
        digits += mantissa != 0;
        if (digits > MOST_DIGITS)
            return none;
    }
    if (at == end)
        return (Number){WHOLE, negative ? -(long long)mantissa : (long long)mantissa, 0};
    if (*at == '.') {
        for (at++; is_digit(at, end); at++) {
            mantissa = mantissa * 10 + (uint64_t)(*at - '0');
            digits += mantissa != 0;
            exponent--;
            if (digits > MOST_DIGITS)
                return none;
        }
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        int given = 0;
        at++;
        int below = at < end && *at == '-';
        if (at < end && (*at == '-' || *at == '+'))
            at++;
        if (!is_digit(at, end))
            return none;
        for (; is_digit(at, end); at++) {
            given = given * 10 + (*at - '0');
            if (given > 1000)
                return none;
        }
        exponent += below ? -given : given;
    }
    if (at != end || FLT_EVAL_METHOD != 0 || mantissa > (uint64_t)1 << 53 || exponent < -LARGEST_EXPONENT || exponent > LARGEST_EXPONENT)
        return none;
    double value = exponent < 0 ? (double)mantissa / powers[-exponent] : (double)mantissa * powers[exponent];
    return (Number){FRACTION, 0, negative ? -value : value};
}
