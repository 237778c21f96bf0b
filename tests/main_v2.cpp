// Catch2 version 2 (Debian 12) has no main of its own to link.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
