/*
 * Goal: a CDM that is slow or busy obeys the contract, and one that breaks a rule is found out,
 * whichever rule it is.
 */
#include <stdio.h>

#include "cdm_contract.h"
#include "cdm_unruly.h"

int main(void)
{
    static const struct {
        const char *name;
        bool is_legal;
    } list[] = {
#define UNRULY_X(name, legal) {#name, legal},
        UNRULY_LIST(UNRULY_X)
#undef UNRULY_X
    };
    int status = 0;
    for (int how = 0; how < UNRULY_COUNT; how++) {
        char text[256] = "";
        const struct cdm_kind kind = {.name = list[how].name,
                                      .ops = unruly_ops((enum unruly)how),
                                      .key_system = {"org.w3.clearkey", 15},
                                      .init_data = cdm_clearkey_init_data,
                                      .licence = cdm_clearkey_licence};
        bool breach = cdm_contract_breach(&kind, text, sizeof text);
        bool good = breach == !list[how].is_legal;
        printf("%s %s: %s\n", good ? "ok    " : "FAILED", list[how].name,
               breach ? text : "no breach");
        if (!good) status = 1;
    }
    return status;
}
