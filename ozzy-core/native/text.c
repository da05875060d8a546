/* Texts of JSON: where they end, and whether they are UTF-8. */

#include "text.h"

/* As in the table 3-7 of the Unicode standard. */
int
character_size(const byte *at, const byte *end)
{
    Py_ssize_t room = end - at;
    byte first = at[0];
    if (first < 0xc2 || first > 0xf4 || room < 2)
        return 0;
    byte low = 0x80, high = 0xbf;
    int size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (first == 0xe0)
        low = 0xa0;
    else if (first == 0xed)
        high = 0x9f;
    else if (first == 0xf0)
        low = 0x90;
    else if (first == 0xf4)
        high = 0x8f;
    if (room < size || at[1] < low || at[1] > high)
        return 0;
    for (int i = 2; i < size; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return size;
}

/* The number of four hexadecimal digits; -1 where they are none. */
static int
four_digits(const byte *at)
{
    int number = 0;
    for (int i = 0; i < 4; i++) {
        int c = at[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
        if (digit < 0)
            return -1;
        number = number * 16 + digit;
    }
    return number;
}

/* What follows an escape, whose backslash is at `at`; NULL where it is none, or half of a surrogate pair. */
static const byte *
after_escape(const byte *at, const byte *end)
{
    if (end - at < 2)
        return NULL;
    switch (at[1]) {
    case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't':
        return at + 2;
    case 'u':
        break;
    default:
        return NULL;
    }
    int unit = end - at >= 6 ? four_digits(at + 2) : -1;
    if (unit < 0xd800 || unit > 0xdfff)
        return unit < 0 ? NULL : at + 6;
    if (unit > 0xdbff || end - at < 12 || at[6] != '\\' || at[7] != 'u')
        return NULL;
    unit = four_digits(at + 8);
    return unit >= 0xdc00 && unit <= 0xdfff ? at + 12 : NULL;
}

const byte *
text_end_behind(const byte *at, const byte *end, int *odd)
{
    for (;; at = special(at, end)) {
        if (at == end)
            return NULL;
        if (*at == '"')
            return at;
        if (*at == '\\') {
            *odd = 1;
            at = after_escape(at, end);
            if (at == NULL)
                return NULL;
        }
        else {
            int size = *at >= 0x80 ? character_size(at, end) : 0;
            if (!size)
                return NULL;
            at += size;
        }
    }
}

Py_ssize_t
unescaped(const byte *at, const byte *end, byte *to, Py_ssize_t room)
{
    static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
    byte *begun = to, *last = to + room - 4;
    while (at < end) {
        if (to > last)
            return -1;
        if (*at != '\\') {
            *to++ = *at++;
            continue;
        }
        byte letter = at[1];
        if (letter != 'u') {
            const char *found = strchr(letters, letter);
            *to++ = found ? (byte)meant[found - letters] : letter;
            at += 2;
            continue;
        }
        uint32_t unit = (uint32_t)four_digits(at + 2);
        at += 6;
        if (unit >= 0xd800 && unit < 0xdc00) {
            unit = 0x10000 + ((unit - 0xd800) << 10) + ((uint32_t)four_digits(at + 2) - 0xdc00);
            at += 6;
        }
        if (unit < 0x80)
            *to++ = (byte)unit;
        else if (unit < 0x800) {
            *to++ = (byte)(0xc0 | unit >> 6);
            *to++ = (byte)(0x80 | (unit & 0x3f));
        }
        else {
            if (unit < 0x10000)
                *to++ = (byte)(0xe0 | unit >> 12);
            else {
                *to++ = (byte)(0xf0 | unit >> 18);
                *to++ = (byte)(0x80 | (unit >> 12 & 0x3f));
            }
            *to++ = (byte)(0x80 | (unit >> 6 & 0x3f));
            *to++ = (byte)(0x80 | (unit & 0x3f));
        }
    }
    return to - begun;
}
