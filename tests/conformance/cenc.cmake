# Encrypted files through lib/mp4 and the Clear Key CDM; cenc_test.c skips where the corpus is absent.
cad_test(cenc vectors SOURCES cenc_test.c LINK cad_mbedcrypto LABEL conformance)
