from django.db import migrations, models

from portal.models.people import validate_language


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0017_changes_of_drafts"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="language",
            field=models.CharField(blank=True, default="", max_length=16, validators=[validate_language]),
        ),
        migrations.AlterField(
            model_name="user",
            name="name",
            field=models.CharField(blank=True, max_length=150, verbose_name="name"),
        ),
    ]
