/* Cells of CSV as values of Python. */

#include "values.h"

typedef enum { TEXT, INT, FLOAT, NUMBER, BOOL, ANY } Kind;

static const char *const kinds[] = {"str", "int", "float", "number", "bool"};

/* How to make a value of a cell: `nulls` are texts that mean null, `other` makes those that need a closer look. */
typedef struct {
    Kind kind;
    int quotechar;
    PyObject *nulls;
    PyObject *other;
    Known known[KNOWN_TEXTS];
} Maker;

static const byte *
after_digits(const byte *at, const byte *end)
{
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

/* Whether it is a plain spelling of a number, and has neither point nor exponent. A plus or a bare point is looked at by `other`. */
static int
is_number(const byte *at, const byte *end, int *whole)
{
    at += at < end && *at == '-';
    const byte *next = after_digits(at, end);
    if (next == at)
        return 0;
    *whole = next == end;
    at = next;
    if (at < end && *at == '.') {
        next = after_digits(++at, end);
        if (next == at)
            return 0;
        at = next;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        at += at < end && (*at == '-' || *at == '+');
        next = after_digits(at, end);
        if (next == at)
            return 0;
        at = next;
    }
    return at == end;
}

static PyObject *
truth_of(const byte *at, const byte *end)
{
    char word[8] = {0};
    if (end - at > 5)
        return NULL;
    if (memchr(at, 0, (size_t)(end - at)))
        return NULL;
    for (int i = 0; at < end; i++, at++)
        word[i] = (char)(*at >= 'A' && *at <= 'Z' ? *at | 0x20 : *at);
    if (!strcmp(word, "true") || !strcmp(word, "t") || !strcmp(word, "yes") || !strcmp(word, "1"))
        return Py_NewRef(Py_True);
    if (!strcmp(word, "false") || !strcmp(word, "f") || !strcmp(word, "no") || !strcmp(word, "0"))
        return Py_NewRef(Py_False);
    return NULL;
}

/* The value of a cell in its plain spelling; NULL without an exception where it is none. */
static PyObject *
plain_value(const byte *at, const byte *end, Kind kind)
{
    int whole = 0;
    if (kind == BOOL)
        return truth_of(at, end);
    if (kind == ANY || !is_number(at, end, &whole) || (kind == INT && !whole))
        return NULL;
    PyObject *value = number_of(at, end);
    if (value == NULL || kind != FLOAT || !whole)
        return value;
    double real = PyLong_AsDouble(value);
    Py_DECREF(value);
    if (real > 9007199254740992.0 || real < -9007199254740992.0)
        return NULL;
    return PyFloat_FromDouble(*at == '-' && real == 0 ? -0.0 : real);
}

/* The text of a cell in which quotes are doubled. */
static PyObject *
undoubled(const byte *at, const byte *end, int quotechar)
{
    byte *content = PyMem_Malloc((size_t)(end - at) + 1), *to = content;
    if (content == NULL)
        return PyErr_NoMemory();
    while (at < end) {
        *to++ = *at;
        at += *at == quotechar && end - at > 1 && at[1] == quotechar ? 2 : 1;
    }
    PyObject *text = PyUnicode_DecodeUTF8((const char *)content, to - content, "strict");
    PyMem_Free(content);
    return text;
}

static int
is_null(const byte *at, const byte *end, PyObject *nulls)
{
    for (Py_ssize_t i = 0; i < PyTuple_Size(nulls); i++) {
        PyObject *one = PyTuple_GetItem(nulls, i);
        if (PyBytes_Size(one) == end - at && !memcmp(PyBytes_AsString(one), at, (size_t)(end - at)))
            return 1;
    }
    return 0;
}

static PyObject *
value_of(const byte *at, const byte *end, int odd, Maker *maker)
{
    PyObject *value = NULL, *text;
    if (!odd) {
        if (is_null(at, end, maker->nulls) || (at == end && maker->kind != TEXT))
            return Py_NewRef(Py_None);
        if (maker->kind == TEXT)
            return text_of(at, end - at, maker->known);
        value = plain_value(at, end, maker->kind);
        if (value || PyErr_Occurred())
            return value;
    }
    text = odd ? undoubled(at, end, maker->quotechar) : PyUnicode_DecodeUTF8((const char *)at, end - at, "strict");
    if (text == NULL || (maker->kind == TEXT && PyTuple_Size(maker->nulls) == 0))
        return text;
    value = PyObject_CallFunctionObjArgs(maker->other, text, NULL);
    Py_DECREF(text);
    return value;
}

PyObject *
csv_values(PyObject *module, PyObject *arguments)
{
    PyObject *source, *column;
    const char *kind;
    Py_ssize_t count;
    Maker maker = {0};
    (void)module;
    if (!PyArg_ParseTuple(arguments, "O!O!siO!O:csv_values", &PyBytes_Type, &source, &PyBytes_Type, &column, &kind, &maker.quotechar,
                          &PyTuple_Type, &maker.nulls, &maker.other))
        return NULL;
    while (maker.kind < ANY && strcmp(kinds[maker.kind], kind))
        maker.kind++;
    for (Py_ssize_t i = 0; i < PyTuple_Size(maker.nulls); i++)
        if (!PyBytes_Check(PyTuple_GetItem(maker.nulls, i))) {
            PyErr_SetString(PyExc_TypeError, "texts that mean null are bytes");
            return NULL;
        }
    const Span *spans = spans_of(column, PyBytes_Size(source), &count);
    PyObject *found = spans ? PyList_New(count) : NULL;
    const byte *text = (const byte *)PyBytes_AsString(source);
    for (Py_ssize_t i = 0; found && i < count; i++) {
        const byte *end = text + (spans[i].end & ~ODD);
        PyObject *value = value_of(text + spans[i].start, end, spans[i].end & ODD ? 1 : 0, &maker);
        if (value == NULL || PyList_SetItem(found, i, value) < 0)
            Py_CLEAR(found);
    }
    known_free(maker.known);
    return found;
}
