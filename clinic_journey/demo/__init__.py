"""The demo clinic: its people, its mail, its phones. Nothing here is imported outside DEMO."""
