# Prints C source with comments blanked and string and character literals emptied, line for line, so that
# other checks see code only and still count lines right.

BEGIN { in_comment = 0 }

{
    if (!in_comment && $0 !~ /["'\/]/) {
        print
        next
    }
    out = ""
    rest = $0
    while (rest != "") {
        if (in_comment) {
            at = index(rest, "*/")
            if (at == 0) break
            rest = substr(rest, at + 2)
            in_comment = 0
            out = out " "
            continue
        }
        if (!match(rest, /["'\/]/)) {
            out = out rest
            break
        }
        out = out substr(rest, 1, RSTART - 1)
        mark = substr(rest, RSTART, 1)
        two = substr(rest, RSTART, 2)
        rest = substr(rest, RSTART + 1)
        if (two == "//") break
        if (two == "/*") {
            in_comment = 1
            rest = substr(rest, 2)
        } else if (mark == "/") {
            out = out "/"
        } else {
            out = out mark mark
            while (rest != "") {
                c = substr(rest, 1, 1)
                rest = substr(rest, c == "\\" ? 3 : 2)
                if (c == mark) break
            }
        }
    }
    print out
}
