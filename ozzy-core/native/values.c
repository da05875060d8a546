/* Spans of JSON as values of Python. */

#include "number.h"
#include "values.h"

void
known_free(Known *known)
{
    for (int i = 0; i < KNOWN_TEXTS; i++)
        Py_XDECREF(known[i].text);
}

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

static PyObject *
number_of(const byte *at, const byte *end)
{
    Number number = exact_number(at, end);
    if (number.kind == WHOLE)
        return PyLong_FromLongLong(number.whole);
    return number.kind == FRACTION ? PyFloat_FromDouble(number.fraction) : NULL;
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
