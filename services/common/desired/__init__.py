"""What operators want of the stations of a group, and how stations come to be so: of settings, lists, trust stores."""
