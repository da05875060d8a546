/* Conditions on the values of a column, told by how they stand in the text. */

#include "number.h"

static PyObject *
truths(Py_ssize_t count, const byte *found)
{
    PyObject *list = PyList_New(count);
    for (Py_ssize_t i = 0; list && i < count; i++)
        if (PyList_SetItem(list, i, Py_NewRef(found[i] ? Py_True : Py_False)) < 0)
            Py_CLEAR(list);
    return list;
}

/* Whether a value can be decoded without fail, and is no text whose spelling hides it. */
static inline int
is_known(const byte *at, const byte *end, int odd)
{
    switch (*at) {
    case '"':
        return !odd;
    case 't': case 'f': case 'n':
        return 1;
    case '{': case '[':
        return 0;
    default:
        return exact_number(at, end).kind != OTHER;
    }
}

PyObject *
equal_texts(PyObject *module, PyObject *arguments)
{
    PyObject *source, *column, *wanted;
    Py_ssize_t count, unknown = 0;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "O!O!O!:equal_texts", &PyBytes_Type, &source, &PyBytes_Type, &column, &PyBytes_Type, &wanted))
        return NULL;
    const Span *spans = spans_of(column, PyBytes_Size(source), &count);
    byte *found = spans ? PyMem_Malloc((size_t)count + 1) : NULL;
    if (found == NULL)
        return spans ? PyErr_NoMemory() : NULL;
    const byte *text = (const byte *)PyBytes_AsString(source);
    const char *token = PyBytes_AsString(wanted);
    uint32_t size = (uint32_t)PyBytes_Size(wanted);
    for (Py_ssize_t i = 0; i < count; i++) {
        const byte *at = text + spans[i].start;
        uint32_t end = spans[i].end & ~ODD;
        found[i] = spans[i].end - spans[i].start == size && !memcmp(at, token, size);
        unknown += !found[i] && end && !is_known(at, text + end, spans[i].end & ODD ? 1 : 0);
    }
    PyObject *list = unknown ? Py_NewRef(Py_None) : truths(count, found);
    PyMem_Free(found);
    return list;
}

/* Whether `operator` (one of > >= < <= ==) holds; an equals sign in second place makes it hold for equal values too. */
static inline int
ordered(double value, double wanted, const char *operator)
{
    if (value == wanted)
        return operator[1] == '=';
    return operator[0] == '>' ? value > wanted : operator[0] == '<' && value < wanted;
}

PyObject *
compared_numbers(PyObject *module, PyObject *arguments)
{
    PyObject *source, *column;
    const char *operator;
    double wanted;
    Py_ssize_t count, unknown = 0;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "O!O!sd:compared_numbers", &PyBytes_Type, &source, &PyBytes_Type, &column, &operator, &wanted))
        return NULL;
    const Span *spans = spans_of(column, PyBytes_Size(source), &count);
    byte *found = spans ? PyMem_Malloc((size_t)count + 1) : NULL;
    if (found == NULL)
        return spans ? PyErr_NoMemory() : NULL;
    const byte *text = (const byte *)PyBytes_AsString(source);
    for (Py_ssize_t i = 0; i < count && !unknown; i++) {
        const byte *at = text + spans[i].start, *end = text + (spans[i].end & ~ODD);
        found[i] = 0;
        if (at == end || !(*at == '-' || (*at >= '0' && *at <= '9'))) {
            unknown = at != end && (*at == '{' || *at == '[');
            continue;
        }
        Number number = exact_number(at, end);
        double value = number.kind == WHOLE ? (double)number.whole : number.fraction;
        unknown = number.kind == OTHER || (number.kind == WHOLE && !is_exact(number.whole));
        found[i] = (byte)ordered(value, wanted, operator);
    }
    PyObject *list = unknown ? Py_NewRef(Py_None) : truths(count, found);
    PyMem_Free(found);
    return list;
}
