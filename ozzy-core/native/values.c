/* Spans of JSON as values of Python. */

#include "values.h"

#include <float.h>

void
known_free(Known *known)
{
    for (int i = 0; i < KNOWN_TEXTS; i++)
        Py_XDECREF(known[i].text);
}

static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

PyObject *
text_of(const byte *at, Py_ssize_t size, Known *known)
{
    if (size > KNOWN_SIZE)
        return PyUnicode_DecodeUTF8((const char *)at, size, "strict");
    uint32_t hash = (uint32_t)size;
    for (Py_ssize_t i = 0; i < size; i++)
        hash = hash * 31 + at[i];
    Known *one = &known[(hash ^ hash >> 9 ^ hash >> 18) % KNOWN_TEXTS];
    if (one->text && one->size == size && !memcmp(one->at, at, (size_t)size))
        return Py_NewRef(one->text);
    PyObject *text = PyUnicode_DecodeUTF8((const char *)at, size, "strict");
    if (text) {
        Py_XDECREF(one->text);
        *one = (Known){at, size, Py_NewRef(text)};
    }
    return text;
}

/* A double of an integer below 2^53, times or by a power of ten that is a double itself, is rounded once (W. D. Clinger, How to Read
   Floating Point Numbers Accurately, 1990). */
int
read_number(const byte *at, const byte *end, Number *number)
{
    int negative = at < end && *at == '-', digits = 0, places = -1, exponent = 0;
    uint64_t mantissa = 0;
    at += negative;
    for (; at < end && (*at == '.' || (*at >= '0' && *at <= '9')); at++) {
        if (*at == '.') {
            places = 0;
            continue;
        }
        mantissa = mantissa * 10 + (uint64_t)(*at - '0');
        digits += mantissa != 0;
        places += places >= 0;
        if (digits > 18)
            return 0;
    }
    if (at == end && places < 0) {
        *number = (Number){0, negative ? -(int64_t)mantissa : (int64_t)mantissa, 0};
        return 1;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        int below = at < end && *at == '-';
        if (at < end && (*at == '-' || *at == '+'))
            at++;
        for (; at < end && *at >= '0' && *at <= '9'; at++) {
            exponent = exponent * 10 + (*at - '0');
            if (exponent > 1000)
                return 0;
        }
        exponent = below ? -exponent : exponent;
    }
    exponent -= places > 0 ? places : 0;
    if (at != end || FLT_EVAL_METHOD != 0 || mantissa > (uint64_t)1 << 53 || exponent < -22 || exponent > 22)
        return 0;
    double value = (double)mantissa;
    value = exponent < 0 ? value / powers[-exponent] : value * powers[exponent];
    *number = (Number){1, 0, negative ? -value : value};
    return 1;
}

PyObject *
number_of(const byte *at, const byte *end)
{
    Number number;
    if (!read_number(at, end, &number))
        return NULL;
    return number.is_real ? PyFloat_FromDouble(number.real) : PyLong_FromLongLong(number.whole);
}

static PyObject *
value_of(const byte *at, const byte *end, int odd, Known *known, PyObject *other)
{
    PyObject *value = NULL;
    if (at < end && !odd) {
        switch (*at) {
        case '"':
            if (end - at >= 2)
                return text_of(at + 1, end - at - 2, known);
            break;
        case 't':
            return Py_NewRef(Py_True);
        case 'f':
            return Py_NewRef(Py_False);
        case 'n':
            return Py_NewRef(Py_None);
        case '{':
        case '[':
            break;
        default:
            value = number_of(at, end);
        }
    }
    if (value == NULL && !PyErr_Occurred()) {
        PyObject *token = PyBytes_FromStringAndSize((const char *)at, end - at);
        value = token ? PyObject_CallFunctionObjArgs(other, token, NULL) : NULL;
        Py_XDECREF(token);
    }
    return value;
}

PyObject *
values(PyObject *module, PyObject *arguments)
{
    PyObject *source, *column, *other, *missing;
    Py_ssize_t count;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "O!O!OO:values", &PyBytes_Type, &source, &PyBytes_Type, &column, &other, &missing))
        return NULL;
    const Span *spans = spans_of(column, PyBytes_Size(source), &count);
    PyObject *found = spans ? PyList_New(count) : NULL;
    Known known[KNOWN_TEXTS] = {{NULL, 0, NULL}};
    const byte *text = (const byte *)PyBytes_AsString(source);
    for (Py_ssize_t i = 0; found && i < count; i++) {
        const byte *end = text + (spans[i].end & ~ODD);
        PyObject *value = spans[i].end ? value_of(text + spans[i].start, end, spans[i].end & ODD ? 1 : 0, known, other) : Py_NewRef(missing);
        if (value == NULL || PyList_SetItem(found, i, value) < 0)
            Py_CLEAR(found);
    }
    known_free(known);
    return found;
}
