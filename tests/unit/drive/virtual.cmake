foreach(name ladder link scenario scenario_play scenario_report sim_cdm sim_faults sim_net synth tape_boxes tape_event tape_format tape_licence
        tape_names trace vsink)
    cad_test(drive ${name} SOURCES ${name}_test.c)
endforeach()

if(TARGET cad_mock)
    foreach(name sim sim_alloc sim_services tape)
        cad_test(drive ${name} SOURCES ${name}_test.c sim_title.c LINK cad_mock)
    endforeach()
endif()
