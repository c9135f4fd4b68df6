/* Goal: the store of virtual time keeps the contract. */
#include "store_contract.h"

#include "drive/store.h"

int main(void)
{
    return store_contract_run(
        &(struct store_kind){.name = "memory", .create = cad_store_memory_create});
}
