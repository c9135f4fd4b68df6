# Turns a public header into what Doxygen reads: the house writes plain comments, and this says to Doxygen
# what they belong to.  Line for line, so that warnings name true lines.
#
#   the first comment               describes the file
#   a comment before a declaration  describes that one; if it ends in a colon, all up to the next blank line
#   a comment behind a declaration  describes that one, and every name that it declares
#   / * ---- title ---- * /         only separates; nothing is made of it
#   an X-macro list                 becomes the enumerators it stands for, with their texts
#
# usage: awk -f doxygen-filter.awk HEADER

# Text as Doxygen takes it literally; indented code it takes so by itself.
function clean(s,    lines, n, i, out) {
    n = split(s, lines, "\n")
    for (i = 1; i <= n; i++) {
        out = out (i > 1 ? "\n" : "") (lines[i] ~ /^ \*     / ? lines[i] : escape(lines[i]))
    }
    return out
}

function escape(s) {
    gsub(/\\/, "\\\\", s)
    gsub(/@/, "\\@", s)
    gsub(/</, "\\<", s)
    gsub(/>/, "\\>", s)
    gsub(/#/, "\\#", s)
    gsub(/%/, "\\%", s)
    gsub(/&/, "\\\\\\&", s)
    return s
}

function trim(s) {
    sub(/^[ \t]+/, "", s)
    sub(/[ \t]+$/, "", s)
    return s
}

# What stands between the marks of a comment, on one line.
function words(s) {
    gsub(/\n[ \t]*\*?/, " ", s)
    gsub(/[ \t]+/, " ", s)
    return trim(s)
}

function newlines(s) { return gsub(/\n/, "\n", s) }

# Takes the next line off what is left.
function take_line(    at, line) {
    at = index(all, "\n")
    line = substr(all, 1, at - 1)
    all = substr(all, at + 1)
    return line
}

# Takes the comment whose text begins what is left.
function take_comment(    at, text) {
    at = index(all, "*/")
    text = substr(all, 1, at - 1)
    all = substr(all, at + 2)
    sub(/^[ \t]*\n/, "", all)
    return text
}

function blank(n,    s) {
    while (n-- > 0) s = s "\n"
    return s
}

# An entry of an X-macro list: the template of the enum with the arguments put in.
function entry(list, k,    body, args, i, n, param, value) {
    body = template
    n = split(params, param, /[ \t]*,[ \t]*/)
    split_arguments(entries[list, k], value)
    for (i = 1; i <= n; i++) {
        gsub("##" param[i] "([^A-Za-z0-9_]|$)", value[i] "&", body)
        gsub("##" param[i], "", body)
        gsub("\\(" param[i] "\\)", "(" value[i] ")", body)
    }
    return body
}

# Arguments by top-level commas; value["text"] is the last one that is a string.
function split_arguments(s, value,    i, c, depth, quoted, n, part) {
    split("", value)
    n = 1
    part = ""
    for (i = 1; i <= length(s); i++) {
        c = substr(s, i, 1)
        if (c == "\"") quoted = !quoted
        if (c == "," && !quoted && depth == 0) {
            value[n++] = trim(part)
            part = ""
        } else part = part c
    }
    value[n] = trim(part)
    for (i = 1; i <= n; i++) if (value[i] ~ /^"/) value["text"] = substr(value[i], 2, length(value[i]) - 2)
}

# Reads the list that begins at `all`: its name and its entries.
function read_list(s,    name, n, at, i, c, depth, quoted, arguments, doc) {
    match(s, /CAD_[A-Z0-9_]+/)
    name = substr(s, RSTART, RLENGTH)
    gsub(/\\\n/, "\n", s)
    n = 0
    sub(/^[^\n]*\n/, "", s)
    while (match(s, /X\(/)) {
        s = substr(s, RSTART + 2)
        quoted = 0
        for (i = 1; i <= length(s); i++) {
            c = substr(s, i, 1)
            if (c == "\"") quoted = !quoted
            if (c == ")" && !quoted) break
        }
        arguments = substr(s, 1, i - 1)
        gsub(/\n[ \t]*/, " ", arguments)
        s = substr(s, i + 1)
        doc = ""
        if (match(s, /^[ \t]*\/\*/)) {
            at = index(s, "*/")
            doc = words(substr(s, RLENGTH + 1, at - RLENGTH - 1))
            s = substr(s, at + 2)
        }
        entries[name, ++n] = arguments
        docs[name, n] = doc
    }
    counts[name] = n
    return name
}

function expand(list,    k, out, value, doc) {
    for (k = 1; k <= counts[list]; k++) {
        split_arguments(entries[list, k], value)
        doc = docs[list, k] != "" ? docs[list, k] : value["text"]
        out = out " " entry(list, k) " /**< " clean(doc) " */"
    }
    return out
}

# The names that stand on a line of code get the comment behind it: `int a, b;` becomes two declarations.
function behind(code, text,    doc, head, names, n, i, out, type) {
    doc = " /**< " clean(text) " */"
    sub(/[ \t]+$/, "", code)
    if (code ~ /^[ \t]*CAD_[A-Z0-9_]+,.*[A-Z0-9_],?$/ && code !~ /=/) { # several enumerators
        n = split(trim(code), names, /[ \t]*,[ \t]*/)
        for (i = 1; i <= n; i++) if (names[i] != "") out = out " " names[i] "," doc
        return out
    }
    if (code ~ /^[ \t]*[a-z].*,.*;$/ && code !~ /[({]/) {
        head = trim(code)
        sub(/;$/, "", head)
        n = split(head, names, /[ \t]*,[ \t]*/)
        type = names[1]
        sub(/[A-Za-z_0-9]+(\[[^]]*\])*$/, "", type)
        out = names[1] ";" doc
        sub(/[ \t*]+$/, " ", type)
        for (i = 2; i <= n; i++) out = out " " type names[i] ";" doc
        return out
    }
    return code doc
}

# A comment on lines of its own, of which only the opening mark has been taken.
function own_comment(    text, following) {
    text = take_comment()
    following = all
    sub(/\n.*/, "", following)
    pending = ""
    if (following ~ /^[ \t]*(\/\*|$)/ || following ~ /[;,][ \t]*\/\*/) {
        # It separates, or is the heading of members that have their own.
        print blank(newlines(text))
        return
    }
    print "/**" clean(text) "*/"
    pending = text
    first = 1
}

# The comment of this paragraph again, for a declaration after the first, if it is for all of them.
function again() {
    if (first) {
        first = 0
        return ""
    }
    return pending ~ /:[ \t\n]*$/ ? "/** " clean(words(pending)) " */ " : ""
}

# The same for `int a, b;`, on a line that goes on with the comment above it.
function again_each(line,    names, n, i, type, doc, out) {
    sub(/;$/, "", line)
    n = split(trim(line), names, /[ \t]*,[ \t]*/)
    type = names[1]
    sub(/[ *]*[A-Za-z_0-9]+(\[[^]]*\])*$/, " ", type)
    doc = first || pending ~ /:[ \t\n]*$/ ? " /** " clean(words(pending)) " */ " : " "
    out = again() names[1] ";"
    for (i = 2; i <= n; i++) out = out doc type names[i] ";"
    print out
}

# A comment behind code.
function comment_behind(line,    cut, code, text) {
    cut = index(line, "/*")
    code = substr(line, 1, cut - 1)
    all = substr(line, cut + 2) "\n" all
    text = take_comment()
    first = 0
    if (code ~ /\{[ \t]*$/) { # behind an opening brace: it describes what is opened
        printf "/** %s */ %s\n%s", clean(words(text)), trim(code), blank(newlines(text))
    } else {
        printf "%s\n%s", behind(code, words(text)), blank(newlines(text))
    }
    open_line = code !~ /[;,{}][ \t]*$/
}

# Lines of the preprocessor. The guard, linkage and the means of X-macros say nothing to a reader.
function directive(line,    text) {
    if (line ~ /^#ifdef __cplusplus/) {
        print ""
        while (line !~ /^#endif/) {
            line = take_line()
            print ""
        }
    } else if (line ~ /^#(ifndef|define) CADMIUM_/ || line ~ /^#undef CAD_X/ || all ~ /^[ \t\n]*$/) {
        print ""
    } else if (line ~ /^#define CAD_X\(/) {
        match(line, /\([^)]*\)/)
        params = substr(line, RSTART + 1, RLENGTH - 2)
        template = trim(substr(line, RSTART + RLENGTH))
        print ""
    } else if (line ~ /^#define CAD_[A-Z0-9_]+_LIST\(X\)/) {
        text = line "\n"
        while (line ~ /\\$/) {
            line = take_line()
            text = text line "\n"
        }
        printf "#define %s(X)%s", read_list(text), blank(newlines(text))
        pending = ""
    } else if (line ~ /^#define/ && line ~ /\/\*/) {
        comment_behind(line)
        open_line = 0
    } else if (line ~ /^#define/) {
        print again() line
    } else {
        print line
    }
}

{ all = all $0 "\n" }

# all: what is left of the file.
END {
    file = FILENAME
    sub(/.*\//, "", file)
    sub(/^\/\*/, "", all)
    text = take_comment()
    sub("^\n[ *]*" file " - ", "\n * ", text)
    print "/** @file" clean(text) "*/"
    while (all != "") {
        if (match(all, /^[ \t]*\/\*/)) {
            all = substr(all, RLENGTH + 1)
            own_comment()
            continue
        }
        line = take_line()
        if (line ~ /^[ \t]*$/) {
            pending = ""
            open_line = 0
            print ""
        } else if (line ~ /^#/) {
            directive(line)
        } else if (match(line, /^[ \t]*CAD_[A-Z0-9_]+_LIST\(CAD_X\)/)) {
            line = trim(line)
            sub(/\(.*/, "", line)
            print expand(line)
        } else if (index(line, "/*")) {
            comment_behind(line)
        } else if (open_line || line ~ /^[ \t]*\}/) {
            print line
            open_line = open_line && line !~ /[;{}][ \t]*$/
            if (line ~ /^[ \t]*\}/) pending = ""
        } else if (pending != "" && line ~ /^[ \t]*[a-z].*,.*;$/ && line !~ /[({]/) {
            again_each(line)
        } else {
            print again() line
            open_line = line !~ /[;{},][ \t]*$/ || (line ~ /,[ \t]*$/ && line ~ /\(/)
            if (line ~ /\{[ \t]*$/) pending = ""
        }
    }
}
