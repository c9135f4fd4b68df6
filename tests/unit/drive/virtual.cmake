foreach(name ladder link sim sim_alloc sim_net scenario synth trace vsink)
    cad_test(drive ${name} SOURCES ${name}_test.c LINK $<TARGET_NAME_IF_EXISTS:cad_mock>)
endforeach()
