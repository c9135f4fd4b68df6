foreach(name ladder link scenario scenario_report sim_faults sim_net synth trace vsink)
    cad_test(drive ${name} SOURCES ${name}_test.c)
endforeach()

if(TARGET cad_mock)
    foreach(name sim sim_alloc)
        cad_test(drive ${name} SOURCES ${name}_test.c sim_title.c LINK cad_mock)
    endforeach()
endif()
