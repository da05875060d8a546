/* Texts of JSON, the part that is worth being inlined. */

#ifndef OZZY_TEXT_H
#define OZZY_TEXT_H

#include "native.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* The first byte from `at` on that is a quote, a backslash, a control character or no ASCII; `end` where there is none. */
static inline const byte *
special(const byte *at, const byte *end)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), blank = _mm_set1_epi8(0x20);
    while (end - at >= 16) {
        __m128i part = _mm_loadu_si128((const __m128i *)at);
        /* As signed numbers, bytes of 0x80 and more are less than a blank too. */
        __m128i found = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(part, quote), _mm_cmpeq_epi8(part, backslash)), _mm_cmplt_epi8(part, blank));
        int mask = _mm_movemask_epi8(found);
        if (mask)
            return at + __builtin_ctz((unsigned)mask);
        at += 16;
    }
#endif
    while (at < end && *at != '"' && *at != '\\' && *at >= 0x20 && *at < 0x80)
        at++;
    return at;
}

/* As `text_end`, from a byte on that `special` has found. */
const byte *text_end_behind(const byte *at, const byte *end, int *odd);

/* The end of a text (its closing quote) whose opening quote stands before `at`; NULL where it is no sound text. `odd` is set by escapes. */
static inline const byte *
text_end(const byte *at, const byte *end, int *odd)
{
    at = special(at, end);
    return at < end && *at == '"' ? at : text_end_behind(at, end, odd);
}

#endif
