"""The locked screen of a shared desk: who may open it again, with what, and where each goes on."""
