# What cmake --install does.
