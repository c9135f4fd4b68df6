# Reads preprocessed public headers and prints a C program that prints how each public type lies in
# memory: the size of every struct, offset and size of every member, the value of every enumerator.
# usage: layout.awk [-v macros="A B"] FILE     macros: object-like macros whose values are printed too

{ text = text " " $0 }

function member(type, path) {
    body = body sprintf("    MEMBER(%s, %s)\n", type, path)
}

# The names that the declaration tok[a .. b] declares, in names[]: pointers to functions, arrays, lists.
function declared(a, b, names,    i, n, depth, last) {
    n = 0
    last = ""
    for (i = a; i <= b; i++) {
        if (tok[i] == "(" && tok[i + 1] == "*" && depth == 0) {
            names[++n] = tok[i + 2]
            return n
        }
        if (tok[i] == "[" || tok[i] == "(") depth++
        else if (tok[i] == "]" || tok[i] == ")") depth--
        else if (depth == 0 && tok[i] == ",") names[++n] = last
        else if (depth == 0 && tok[i] ~ /^[A-Za-z_]/) last = tok[i]
    }
    if (last != "") names[++n] = last
    return n
}

# Members from tok[i] up to the closing brace, whose place is returned.
function members(i, type, prefix,    a, n, names, k, end) {
    while (tok[i] != "}") {
        a = i
        while (tok[i] != ";" && tok[i] != "{") {
            if (i > count) { print "layout.awk: no end of " type > "/dev/stderr"; exit 2 }
            i++
        }
        if (tok[i] == "{") { # a struct or union without a name of its own, and what it is called
            for (end = i + 1; tok[end] != "}"; end = nested_end(end)) { }
            names[1] = tok[end + 1]
            if (names[1] == ";") { # anonymous: its members are its owner's
                members(i + 1, type, prefix)
            } else {
                member(type, prefix names[1])
                members(i + 1, type, prefix names[1] ".")
                end++
            }
            i = end + 2
            continue
        }
        split("", names)
        n = declared(a, i - 1, names)
        for (k = 1; k <= n; k++) member(type, prefix names[k])
        i++
    }
    return i
}

# The place after the token or the braced group at i.
function nested_end(i,    depth) {
    if (tok[i] != "{") return i + 1
    for (depth = 1; depth > 0; ) {
        i++
        if (tok[i] == "{") depth++
        if (tok[i] == "}") depth--
    }
    return i + 1
}

function enumerators(i, type,    fresh, depth) {
    fresh = 1
    for (; tok[i] != "}"; i++) {
        if (fresh) {
            body = body sprintf("    VALUE(%s, %s)\n", type, tok[i])
            fresh = 0
        }
        if (tok[i] == "(") depth++
        if (tok[i] == ")") depth--
        if (tok[i] == "," && depth == 0 && tok[i + 1] != "}") fresh = 1
    }
    return i
}

END {
    gsub(/[][{}();,*=]/, " & ", text)
    count = split(text, tok, /[ \t]+/)
    for (i = 1; i <= count; i++) {
        if (tok[i + 1] !~ /^cad_/ || tok[i + 2] != "{") continue
        type = tok[i] " " tok[i + 1]
        if (tok[i] == "struct" || tok[i] == "union") {
            body = body sprintf("    TYPE(%s)\n", type)
            i = members(i + 3, type, "")
        } else if (tok[i] == "enum") {
            body = body sprintf("    TYPE(%s)\n", type)
            i = enumerators(i + 3, type)
        }
    }
    n = split(macros, macro, " ")
    for (i = 1; i <= n; i++) body = body sprintf("    MACRO(%s)\n", macro[i])
    print "#include <stddef.h>\n#include <stdint.h>\n#include <stdio.h>\n#include \"all.h\"\n"
    print "#define TYPE(type) printf(\"%s size %zu\\n\", #type, sizeof(type));"
    print "#define MEMBER(type, path) printf(\"%s.%s at %zu size %zu\\n\", #type, #path, \\"
    print "    offsetof(type, path), sizeof(((type *)NULL)->path));"
    print "#define VALUE(type, name) printf(\"%s %s = %lld\\n\", #type, #name, (long long)(name));"
    print "#define MACRO(name) printf(\"macro %s = %lld\\n\", #name, (long long)(name));\n"
    print "int main(void)\n{\n" body "    return 0;\n}"
}
