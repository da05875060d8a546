/* Lines of JSON: whether each is one sound object, and where the values of some of its fields stand. Grammar: RFC 8259. */

#include "number.h"
#include "text.h"

#define DEEPEST 255 /* levels within the record, which is one itself */
#define REMEMBERED 64
#define LONGEST_KEY 512 /* bytes of a key with escapes */

typedef struct {
    const byte *text;
    Py_ssize_t size;
} Name;

/* The key that stood at one place of the line before, and its column. */
typedef struct {
    const byte *text;
    Py_ssize_t size;
    Py_ssize_t column;
} Seen;

static inline const byte *
after_blanks(const byte *at, const byte *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return at;
}

static const byte *
after_number(const byte *at, const byte *end)
{
    if (*at == '-')
        at++;
    if (!is_digit(at, end))
        return NULL;
    if (*at == '0')
        at++;
    else
        while (is_digit(at, end))
            at++;
    if (at < end && *at == '.') {
        at++;
        if (!is_digit(at, end))
            return NULL;
        while (is_digit(at, end))
            at++;
    }
    if (at < end && (*at | 0x20) == 'e') {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        if (!is_digit(at, end))
            return NULL;
        while (is_digit(at, end))
            at++;
    }
    return at;
}

/* What follows a value that is no object and no array; NULL where it is not sound. */
static inline const byte *
after_scalar(const byte *at, const byte *end, int *odd)
{
    switch (*at) {
    case '"':
        at = text_end(at + 1, end, odd);
        return at == NULL ? NULL : at + 1;
    case 't':
        return end - at >= 4 && !memcmp(at, "true", 4) ? at + 4 : NULL;
    case 'n':
        return end - at >= 4 && !memcmp(at, "null", 4) ? at + 4 : NULL;
    case 'f':
        return end - at >= 5 && !memcmp(at, "false", 5) ? at + 5 : NULL;
    default:
        return after_number(at, end);
    }
}

/* What follows the object or array at `at`; NULL where it is not sound, or too deep. `odd` is set by blanks between its tokens. */
static const byte *
after_nested(const byte *at, const byte *end, int *odd)
{
    uint64_t objects[(DEEPEST + 63) / 64 + 1] = {0};
    int depth = 0, in_object, escapes = 0;
    const byte *next;

#define SKIP_BLANKS                    \
    do {                               \
        next = after_blanks(at, end);  \
        *odd |= next != at;            \
        at = next;                     \
        if (at == end)                 \
            return NULL;               \
    } while (0)

open:
    if (depth == DEEPEST)
        return NULL;
    in_object = *at++ == '{';
    if (in_object)
        objects[depth / 64] |= (uint64_t)1 << (depth % 64);
    else
        objects[depth / 64] &= ~((uint64_t)1 << (depth % 64));
    depth++;
    SKIP_BLANKS;
    if (*at == (in_object ? '}' : ']'))
        goto close;
    if (!in_object)
        goto value;
key:
    if (*at != '"')
        return NULL;
    at = text_end(at + 1, end, &escapes);
    if (at == NULL)
        return NULL;
    at++;
    SKIP_BLANKS;
    if (*at != ':')
        return NULL;
    at++;
    SKIP_BLANKS;
value:
    if (*at == '{' || *at == '[')
        goto open;
    at = after_scalar(at, end, &escapes);
    if (at == NULL)
        return NULL;
after:
    SKIP_BLANKS;
    if (*at == ',') {
        at++;
        SKIP_BLANKS;
        if (in_object)
            goto key;
        goto value;
    }
    if (*at != (in_object ? '}' : ']'))
        return NULL;
close:
    at++;
    if (--depth == 0)
        return at;
    in_object = objects[(depth - 1) / 64] >> ((depth - 1) % 64) & 1;
    goto after;
#undef SKIP_BLANKS
}

/* The column of a key, -1 where it has none, -2 where its escapes are too long a matter. */
static Py_ssize_t
column_of(const byte *key, Py_ssize_t size, int odd, const Name *names, Py_ssize_t count)
{
    byte plain[LONGEST_KEY];
    if (odd) {
        size = unescaped(key, key + size, plain, LONGEST_KEY);
        if (size < 0)
            return -2;
        key = plain;
    }
    for (Py_ssize_t i = 0; i < count; i++)
        if (names[i].size == size && !memcmp(names[i].text, key, (size_t)size))
            return i;
    return -1;
}

/* Read lines, so many at most; 1 where each is sound, 0 where one may not be, -1 where memory ran out. The first column has the lines
   themselves. `done` is where the next one begins. */
static int
read_lines(const byte *text, const byte *end, Py_ssize_t most, const Name *names, Py_ssize_t count, Columns *columns, const byte **done_at)
{
    Seen seen[REMEMBERED] = {{NULL, 0, 0}};
    const byte *at = text;
    while (at < end && columns->rows < most) {
        if (columns->rows == columns->room && columns_grow(columns) < 0)
            return -1;
        Py_ssize_t row = columns->rows;
        for (Py_ssize_t i = 1; i <= count; i++)
            columns->columns[i][row] = (Span){0, 0};
        const byte *begun = at;
        at = after_blanks(at, end);
        if (at == end || *at != '{')
            return 0;
        at = after_blanks(at + 1, end);
        if (at < end && *at == '}')
            goto ended;
        for (Py_ssize_t place = 0;; place++) {
            int odd = 0;
            if (at == end || *at != '"')
                return 0;
            const byte *key = at + 1;
            at = text_end(key, end, &odd);
            if (at == NULL)
                return 0;
            Py_ssize_t size = at - key, column;
            Seen *known = place < REMEMBERED ? &seen[place] : NULL;
            if (known && known->size == size && known->text && !memcmp(known->text, key, (size_t)size))
                column = known->column;
            else {
                column = column_of(key, size, odd, names, count);
                if (column == -2)
                    return 0;
                if (known)
                    *known = (Seen){key, size, column};
            }
            at = after_blanks(at + 1, end);
            if (at == end || *at != ':')
                return 0;
            at = after_blanks(at + 1, end);
            if (at == end)
                return 0;
            const byte *value = at;
            odd = 0;
            at = *at == '{' || *at == '[' ? after_nested(at, end, &odd) : after_scalar(at, end, &odd);
            if (at == NULL)
                return 0;
            if (column >= 0 && columns->columns[column + 1][row].end)
                return 0; /* The last one counts, but each has to be a value. */
            if (column >= 0)
                columns->columns[column + 1][row] = (Span){(uint32_t)(value - text), (uint32_t)(at - text) | (odd ? ODD : 0)};
            at = after_blanks(at, end);
            if (at == end)
                return 0;
            if (*at == '}')
                break;
            if (*at != ',')
                return 0;
            at = after_blanks(at + 1, end);
        }
    ended:
        at = after_blanks(at + 1, end);
        const byte *done = at;
        if (at < end && *at == '\r')
            at++;
        if (at < end ? *at != '\n' : at != done)
            return 0;
        columns->columns[0][row] = (Span){(uint32_t)(begun - text), (uint32_t)(done - text)};
        columns->rows = row + 1;
        if (at < end)
            at++;
    }
    *done_at = at;
    return 1;
}

PyObject *
scan_json(PyObject *module, PyObject *arguments)
{
    PyObject *source, *wanted;
    Py_ssize_t most;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "O!O!n:scan_json", &PyBytes_Type, &source, &PyTuple_Type, &wanted, &most))
        return NULL;
    Py_ssize_t size = PyBytes_Size(source), count = PyTuple_Size(wanted);
    if (size > LONGEST_TEXT)
        Py_RETURN_NONE;
    Name *names = PyMem_Malloc(sizeof(Name) * (size_t)(count + 1));
    if (names == NULL)
        return PyErr_NoMemory();
    for (Py_ssize_t i = 0; i < count; i++) {
        char *name;
        if (PyBytes_AsStringAndSize(PyTuple_GetItem(wanted, i), &name, &names[i].size) < 0) {
            PyMem_Free(names);
            return NULL;
        }
        names[i].text = (const byte *)name;
    }
    const byte *text = (const byte *)PyBytes_AsString(source), *done = text;
    Columns columns;
    PyObject *found = NULL;
    if (columns_begin(&columns, count + 1, size / 128 + 16) == 0) {
        int sound;
        Py_BEGIN_ALLOW_THREADS
        sound = read_lines(text, text + size, most, names, count, &columns, &done);
        Py_END_ALLOW_THREADS
        if (sound == 1) {
            PyObject *taken = columns_taken(&columns);
            found = taken ? Py_BuildValue("nN", (Py_ssize_t)(done - text), taken) : NULL;
        }
        else if (sound == 0)
            found = Py_NewRef(Py_None);
        else
            PyErr_NoMemory();
    }
    columns_free(&columns);
    PyMem_Free(names);
    return found;
}
