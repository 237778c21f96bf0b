// SystemC's library wants this function of every program that links it. Bitloom's programs have a main of their own and start the kernel where they need it.
extern "C" int sc_main(int, char**);
extern "C" int sc_main(int, char**) { return 0; }
