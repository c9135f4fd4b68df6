# The virtual drive (libcadmium-sim): clock, link model, faults, synthesizer, scenarios.
cad_room(drive_virtual SOURCES
    ladder.c
    link.c
    scenario_check.c
    scenario_parse.c
    scenario_play.c
    scenario_report.c
    scenario_run.c
    scenario_stage.c
    sim.c
    sim_cdm.c
    sim_faults.c
    sim_head.c
    sim_net.c
    synth.c
    synth_boxes.c
    tape_replay.c
    trace.c
    vsink.c)
