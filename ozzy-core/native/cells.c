/* Cells of CSV as values of Python. */

#include "number.h"
#include "values.h"

#define MANY_UNUSUAL 8 /* cells, after which others do not get their turn between two of them any more */

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

/* A cell that is a number in its plain spelling, as its kind has it; OTHER where it is none. */
static inline Number
plain_number(const byte *at, const byte *end, Kind kind)
{
    Number number = {OTHER, 0, 0};
    if (kind < INT || kind > NUMBER)
        return number;
    number = exact_number(at, end);
    if (kind == INT && number.kind == FRACTION)
        number.kind = OTHER;
    if (kind == FLOAT && number.kind == WHOLE) {
        number.kind = is_exact(number.whole) ? FRACTION : OTHER;
        number.fraction = *at == '-' && number.whole == 0 ? -0.0 : (double)number.whole;
    }
    return number;
}

/* The value of a cell in its plain spelling; NULL without an exception where it is none. */
static PyObject *
plain_value(const byte *at, const byte *end, Kind kind)
{
    if (kind == BOOL)
        return truth_of(at, end);
    Number number = plain_number(at, end, kind);
    if (number.kind == WHOLE)
        return PyLong_FromLongLong(number.whole);
    return number.kind == FRACTION ? PyFloat_FromDouble(number.fraction) : NULL;
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

/* What the functions below have in common: a column of a text, and how to make values of it. */
typedef struct {
    const byte *text;
    const Span *spans;
    Py_ssize_t count;
    Maker maker;
} Cells;

static int
cells_begin(Cells *cells, PyObject *source, PyObject *column, const char *kind)
{
    Maker *maker = &cells->maker;
    maker->kind = TEXT;
    while (maker->kind < ANY && strcmp(kinds[maker->kind], kind))
        maker->kind++;
    for (Py_ssize_t i = 0; i < PyTuple_Size(maker->nulls); i++)
        if (!PyBytes_Check(PyTuple_GetItem(maker->nulls, i))) {
            PyErr_SetString(PyExc_TypeError, "texts that mean null are bytes");
            return -1;
        }
    cells->text = (const byte *)PyBytes_AsString(source);
    cells->spans = spans_of(column, PyBytes_Size(source), &cells->count);
    return cells->spans == NULL ? -1 : 0;
}

static inline PyObject *
cell_value(Cells *cells, Span span)
{
    return value_of(cells->text + span.start, cells->text + (span.end & ~ODD), span.end & ODD ? 1 : 0, &cells->maker);
}

PyObject *
csv_values(PyObject *module, PyObject *arguments)
{
    PyObject *source, *column;
    const char *kind;
    Cells cells = {0};
    (void)module;
    if (!PyArg_ParseTuple(arguments, "O!O!siO!O:csv_values", &PyBytes_Type, &source, &PyBytes_Type, &column, &kind, &cells.maker.quotechar,
                          &PyTuple_Type, &cells.maker.nulls, &cells.maker.other) ||
        cells_begin(&cells, source, column, kind) < 0)
        return NULL;
    PyObject *found = PyList_New(cells.count);
    for (Py_ssize_t i = 0; found && i < cells.count; i++) {
        PyObject *value = cell_value(&cells, cells.spans[i]);
        if (value == NULL || PyList_SetItem(found, i, value) < 0)
            Py_CLEAR(found);
    }
    known_free(cells.maker.known);
    return found;
}

/* The first cell from this one on that is no number in its plain spelling, and not empty. */
static Py_ssize_t
after_plain_cells(const Cells *cells, Py_ssize_t i)
{
    for (; i < cells->count; i++) {
        Span span = cells->spans[i];
        const byte *at = cells->text + span.start, *end = cells->text + (span.end & ~ODD);
        if (at != end && (span.end & ODD || plain_number(at, end, cells->maker.kind).kind == OTHER))
            break;
    }
    return i;
}

PyObject *
csv_check(PyObject *module, PyObject *arguments)
{
    PyObject *source, *column;
    const char *kind;
    Cells cells = {0};
    int sound = 1, unusual = 0;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "O!O!siO!O:csv_check", &PyBytes_Type, &source, &PyBytes_Type, &column, &kind, &cells.maker.quotechar,
                          &PyTuple_Type, &cells.maker.nulls, &cells.maker.other) ||
        cells_begin(&cells, source, column, kind) < 0)
        return NULL;
    for (Py_ssize_t i = 0; sound; i++) {
        if (unusual < MANY_UNUSUAL) {
            Py_BEGIN_ALLOW_THREADS
            i = after_plain_cells(&cells, i);
            Py_END_ALLOW_THREADS
        }
        else
            i = after_plain_cells(&cells, i);
        if (i == cells.count)
            break;
        unusual++;
        PyObject *value = cell_value(&cells, cells.spans[i]);
        sound = value != NULL;
        Py_XDECREF(value);
    }
    known_free(cells.maker.known);
    return sound ? Py_NewRef(Py_None) : NULL;
}

static const struct {
    const char *name;
    int less, equal, greater, python;
} operators[] = {{"==", 0, 1, 0, Py_EQ}, {">", 0, 0, 1, Py_GT}, {">=", 0, 1, 1, Py_GE}, {"<", 1, 0, 0, Py_LT}, {"<=", 1, 1, 0, Py_LE}};

#define OPERATORS (int)(sizeof operators / sizeof *operators)

/* What cells are compared with: a text or a number. */
typedef struct {
    PyObject *object;
    const byte *text;
    Py_ssize_t size;
    Number number;
} Wanted;

/* 1 where cells of a kind can be compared with it without a look at Python's own order; else 0. */
static int
wanted_of(PyObject *object, Kind kind, Wanted *wanted)
{
    wanted->object = object;
    if (kind == TEXT && PyUnicode_CheckExact(object)) {
        wanted->text = (const byte *)PyUnicode_AsUTF8AndSize(object, &wanted->size);
        PyErr_Clear();
        return wanted->text != NULL;
    }
    if (kind != INT && kind != FLOAT && kind != NUMBER)
        return 0;
    if (PyLong_CheckExact(object)) {
        int overflow;
        wanted->number = (Number){WHOLE, PyLong_AsLongLongAndOverflow(object, &overflow), 0};
        return !overflow;
    }
    if (!PyFloat_CheckExact(object))
        return 0;
    wanted->number = (Number){FRACTION, 0, PyFloat_AsDouble(object)};
    return wanted->number.fraction - wanted->number.fraction == 0;
}

/* -1, 0 or 1 as a number is less, equal or greater than another; 2 where the two can't be compared as they are. */
static inline int
number_order(const Number *one, const Number *other)
{
    if (one->kind == WHOLE && other->kind == WHOLE)
        return (one->whole > other->whole) - (one->whole < other->whole);
    if ((one->kind == WHOLE && !is_exact(one->whole)) || (other->kind == WHOLE && !is_exact(other->whole)))
        return 2;
    double left = one->kind == WHOLE ? (double)one->whole : one->fraction, right = other->kind == WHOLE ? (double)other->whole : other->fraction;
    return (left > right) - (left < right);
}

/* UTF-8 has the order of its characters. */
static inline int
text_order(const byte *at, Py_ssize_t size, const Wanted *wanted)
{
    int order = memcmp(at, wanted->text, (size_t)(size < wanted->size ? size : wanted->size));
    return order ? (order > 0) - (order < 0) : (size > wanted->size) - (size < wanted->size);
}

/* Whether a cell passes; -1 with an exception. */
static inline int
passes(Cells *cells, Span span, int operator, const Wanted *wanted)
{
    const byte *at = cells->text + span.start, *end = cells->text + (span.end & ~ODD);
    int order = 2;
    if (!(span.end & ODD)) {
        if (PyTuple_Size(cells->maker.nulls) && is_null(at, end, cells->maker.nulls))
            return 0;
        if (cells->maker.kind == TEXT && operators[operator].python == Py_EQ)
            return end - at == wanted->size && !memcmp(at, wanted->text, (size_t)wanted->size);
        if (cells->maker.kind == TEXT)
            order = text_order(at, end - at, wanted);
        else if (at == end)
            return 0;
        else {
            Number number = plain_number(at, end, cells->maker.kind);
            order = number.kind == OTHER ? 2 : number_order(&number, &wanted->number);
        }
    }
    if (order < 2)
        return order < 0 ? operators[operator].less : order ? operators[operator].greater : operators[operator].equal;
    PyObject *value = cell_value(cells, span);
    if (value == NULL || value == Py_None) {
        Py_XDECREF(value);
        return value ? 0 : -1;
    }
    PyObject *truth = PyObject_RichCompare(value, wanted->object, operators[operator].python);
    int passed = truth ? PyObject_IsTrue(truth) : -1;
    Py_XDECREF(truth);
    Py_DECREF(value);
    return passed;
}

PyObject *
csv_mask(PyObject *module, PyObject *arguments)
{
    PyObject *source, *column;
    const char *kind, *name;
    Cells cells = {0};
    Wanted wanted = {0};
    int operator = 0;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "O!O!siO!OsO:csv_mask", &PyBytes_Type, &source, &PyBytes_Type, &column, &kind, &cells.maker.quotechar,
                          &PyTuple_Type, &cells.maker.nulls, &cells.maker.other, &name, &wanted.object) ||
        cells_begin(&cells, source, column, kind) < 0)
        return NULL;
    while (operator < OPERATORS && strcmp(operators[operator].name, name))
        operator++;
    if (operator == OPERATORS || !wanted_of(wanted.object, cells.maker.kind, &wanted))
        Py_RETURN_NONE;
    PyObject *mask = PyList_New(cells.count);
    for (Py_ssize_t i = 0; mask && i < cells.count; i++) {
        int passed = passes(&cells, cells.spans[i], operator, &wanted);
        if (passed < 0 || PyList_SetItem(mask, i, Py_NewRef(passed ? Py_True : Py_False)) < 0)
            Py_CLEAR(mask);
    }
    known_free(cells.maker.known);
    return mask;
}
