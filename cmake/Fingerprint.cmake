# cmake -DROOT=<source tree> -DFILES=<list> -DOUT=<file.cpp> -P Fingerprint.cmake: writes the hash of the files, by their names in the tree.
set(all "")
foreach(file IN LISTS FILES)
  file(SHA256 ${file} hash)
  file(RELATIVE_PATH name ${ROOT} ${file})
  string(APPEND all "${name} ${hash}\n")
endforeach()
string(SHA256 fingerprint "${all}")
file(WRITE ${OUT} "#include \"explore/fingerprint.hpp\"\n\nnamespace bitloom {\nconst char* const kProgramFingerprint = \"${fingerprint}\";\n}\n")
