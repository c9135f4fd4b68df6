# The virtual drive (libcadmium-sim): clock, link model, faults, synthesizer, scenarios.
cad_room(drive_virtual SOURCES
    ladder.c
    link.c
    scenario_parse.c
    scenario_run.c
    sim.c
    sim_faults.c
    sim_net.c
    synth.c
    synth_boxes.c
    trace.c
    vsink.c)
