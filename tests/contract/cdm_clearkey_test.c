/* Clear Key obeys the contract of cadmium/cdm.h. */
#include "cdm_contract.h"

int main(void)
{
    const struct cdm_kind kind = {.name = "clearkey", .ops = cad_cdm_clearkey(),
                                  .key_system = {"org.w3.clearkey", 15},
                                  .init_data = cdm_clearkey_init_data,
                                  .licence = cdm_clearkey_licence};
    return cdm_contract_run(&kind);
}
